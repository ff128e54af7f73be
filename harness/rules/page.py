# SPDX-License-Identifier: Apache-2.0
"""docs/rules.md from scenarios/rules.yaml, the scenarios and the planted defects of ci/teeth."""
from __future__ import annotations

import collections
import dataclasses
import pathlib
import re

import yaml

from harness.pytest_bootjack import api
from harness.pytest_bootjack.files import rule_entries

ROOT = api.ROOT
CATALOGUE = ROOT / "scenarios" / "rules.yaml"
PLANTED = ROOT / "harness" / "teeth" / "planted.yaml"
UNIT_TESTS = ROOT / "harness" / "oracle" / "tests"
PAGE = ROOT / "docs" / "rules.md"

HEAD = """\
# Rules

Written by `ci/rules` from [scenarios/rules.yaml](../scenarios/rules.yaml) and the scenarios; do not edit.

Each rule for a client, with the scenarios that show it: *accepted* where the client is given what it must take, *refused* where
it is given what it must not take, or where something is withheld that it must go on without. Behind a file stands the number of
its cases, where it has some. Rules with an oracle are judged in every run besides ([oracles.md](oracles.md)): for these every
scenario is an acceptance, and what is refused is a run in which the rule is broken, by the oracle's unit tests (`*_test`) or by a
client with a planted defect (`ci/teeth`). A rule of the level MUST has both sides.
"""


@dataclasses.dataclass
class Rule:
    """One entry of the catalogue, and what shows it: scenarios as `bootjack run` names them."""

    id: str
    facts: dict
    accept: list
    refuse: list
    other: list
    defects: list
    unit_tests: list  # of its oracle, in which it is broken
    should: list = dataclasses.field(default_factory=list)  # those of its scenarios that say `level: should`

    @property
    def oracle(self):
        return self.facts.get("oracle", "")

    @property
    def missing(self) -> list:
        """The sides that a MUST lacks."""
        if self.facts.get("level") != "MUST":
            return []
        accepted = self.accept or self.oracle
        refused = self.refuse or (self.oracle and (self.defects or self.unit_tests))
        return [name for name, there in (("accepted", accepted), ("refused", refused)) if not there]


def headings(text) -> dict:
    """The heading in the catalogue above each rule: comments such as `# --- hold-off and retry ---`."""
    found, heading = {}, ""
    for line in text.splitlines():
        comment = re.match(r"\s*# --- (.*?) -+$", line)
        rule = re.match(r"\s*- \{?\s*id: ([A-Z0-9-]+)", line)
        heading = comment[1] if comment else heading
        if rule:
            found[rule[1]] = heading
    return found


def defects_by_rule(path=PLANTED) -> dict:
    found = collections.defaultdict(list)
    for defect in yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []:
        found[defect["rule"]].append(defect["name"])
    return found


def unit_tests_by_rule(folder=UNIT_TESTS) -> dict:
    """Where the oracles' unit tests see a rule broken."""
    found = collections.defaultdict(set)
    for path in sorted(folder.glob("*_test.c")):
        for name in re.findall(r"(?:assert_broken\(|rule == )BJ_RULE_(\w+)", path.read_text(encoding="utf-8")):
            found[name.replace("_", "-")].add(path.stem)
    return {rule: sorted(names) for rule, names in found.items()}


def gather(catalogue=CATALOGUE, folder=ROOT / "scenarios", planted=PLANTED, unit_tests=UNIT_TESTS) -> list:
    shown = collections.defaultdict(lambda: collections.defaultdict(list))
    should = collections.defaultdict(list)
    for one in api.list_scenarios(folder):
        path = pathlib.Path(one["scenario"])
        if "canary" in path.parts:
            continue
        for rule in one["rules"]:
            shown[rule][one["shows"]].append(one["scenario"])
            should[rule] += [one["scenario"]] if one["level"] == "should" else []
    defects, tests = defects_by_rule(planted), unit_tests_by_rule(unit_tests)
    entries = rule_entries(yaml.safe_load(catalogue.read_text(encoding="utf-8")))
    return [Rule(key, facts, shown[key]["accept"], shown[key]["refuse"], shown[key][""], defects[key],
                 tests.get(key, []), should[key])
            for key, facts in entries.items()]


def below(path) -> str:
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("scenarios") + 1:]) if "scenarios" in parts else path.name


def files(scenarios) -> str:
    """Links to the files, with the number of cases."""
    count = collections.Counter(below(api.split_case(name)[0]) for name in scenarios)
    cased = {below(api.split_case(name)[0]) for name in scenarios if api.split_case(name)[1]}
    texts = [f"[{name.removesuffix('.yaml')}](../scenarios/{name})" + (f" ({number})" if name in cased else "")
             for name, number in sorted(count.items())]
    return ", ".join(texts) or "-"


def row(rule) -> str:
    text = rule.facts.get("text", "").replace("|", "\\|")
    watched = f"oracle `{rule.oracle}`" if rule.oracle else ""
    broken = "defects: " + ", ".join(f"`{name}`" for name in rule.defects) if rule.defects else ""
    tested = ", ".join(f"`{name}`" for name in rule.unit_tests)
    refused = "; ".join(part for part in (files(rule.refuse) if rule.refuse else "", tested, broken) if part) or "-"
    accepted = "; ".join(part for part in (files(rule.accept) if rule.accept else "", watched) if part) or "-"
    return f"| `{rule.id}` | {text} | {rule.facts.get('level', '')} | {rule.facts.get('clause', '')} | {accepted} | {refused} |"


def write(rules, text) -> str:
    heading_of = headings(text)
    out, present = [HEAD], None
    for rule in rules:
        heading = heading_of.get(rule.id, "")
        if heading != present:
            present = heading
            title = heading[:1].upper() + heading[1:]
            out.append(f"\n## {title}\n\n| rule | what the client must do | level | clause | accepted | refused |\n"
                       "|---|---|---|---|---|---|\n")
        out.append(row(rule) + "\n")
    scenarios = {name for rule in rules for name in rule.accept + rule.refuse + rule.other}
    out.append(f"\n{len(rules)} rules, {sum(rule.facts.get('level') == 'MUST' for rule in rules)} of them MUST; "
               f"{len(scenarios)} scenarios show them.\n")
    return "".join(out)


def wrong_levels(rules) -> list:
    """A scenario says `level: should` where it shows a SHOULD and no MUST, may say it of a MAY, and says it of no MUST."""
    levels, should = collections.defaultdict(set), set()
    for rule in rules:
        should.update(rule.should)
        for name in rule.accept + rule.refuse + rule.other:
            levels[name].add(rule.facts.get("level"))
    soft = {name for name, them in levels.items() if "SHOULD" in them and "MUST" not in them}
    return ([f"{name}: it shows a SHOULD and no MUST: `level: should`" for name in sorted(soft - should)] +
            [f"{name}: `level: should`, but it shows a MUST" for name in sorted(should) if "MUST" in levels[name]])


def problems(rules) -> list:
    missing = [f"{rule.id}: a MUST without a scenario where it is {side}" for rule in rules for side in rule.missing]
    return missing + wrong_levels(rules)
