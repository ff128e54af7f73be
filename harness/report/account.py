# SPDX-License-Identifier: Apache-2.0
"""What a client's failures come to: harness/clients/NAME.findings.yaml says what was found in it, each finding with the
failures that it accounts for. A failure that none accounts for was not looked at yet.

A list of findings, each

    - what: Finish is answered with 2.04 whatever was written
      clause: Core 1.1 §6.1.7.5
      rules: [BS-FINISH-CORRECTION]
      sure: sure
      failures:
        - {scenario: "checks/*", reason: "the client answered 2\\.04$"}

`reason` is a regular expression that is searched for in the failure's reason and in what oracles said of the rules that were
broken; `scenario` the pattern of its name, the path below scenarios/ without .yaml, with its case behind a space. One of the two
may be left out. The first finding that fits accounts for the failure. In a finding's place `- like: OTHER` puts those of
OTHER.findings.yaml beside it: of another build of the same client."""
from __future__ import annotations

import collections
import dataclasses
import fnmatch
import pathlib
import re

import yaml

from . import model


@dataclasses.dataclass
class Finding:
    what: str
    clause: str
    sure: str
    rules: list = dataclasses.field(default_factory=list)
    failures: list = dataclasses.field(default_factory=list)

    def fits(self, entry) -> bool:
        return any(fits(pattern, entry) for pattern in self.failures)


def fits(pattern, entry) -> bool:
    said = [entry.result.reason, *(found["text"] for found in entry.result.broken)]
    return fnmatch.fnmatchcase(entry.name, pattern.get("scenario", "*")) and any(
        re.search(pattern.get("reason", ""), text) for text in said)


def mistake(row, known) -> str:
    """What is wrong with a row of the file; empty when nothing is."""
    try:
        finding = Finding(**row)
    except TypeError as problem:
        return str(problem).removeprefix("Finding.__init__() ")
    strange = [rule for rule in finding.rules if rule not in known]
    if strange:
        return f"no rules of scenarios/rules.yaml: {', '.join(strange)}"
    for pattern in finding.failures:
        if not isinstance(pattern, dict) or not pattern or set(pattern) - {"scenario", "reason"}:
            return f"failures hold `scenario`, `reason`, or both, not {pattern}"
        try:
            re.compile(pattern.get("reason", ""))
        except re.error as problem:
            return f"{pattern['reason']}: {problem}"
    return ""


def read(path, known) -> list:
    """The findings of a client. Raises Unreadable with the row that is wrong."""
    try:
        rows = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise model.Unreadable(f"{path}: {problem}") from problem
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise model.Unreadable(f"{path}: expected a list of findings")
    findings = []
    for number, row in enumerate(rows, 1):
        if set(row) == {"like"}:
            findings += read(pathlib.Path(path).with_name(f"{row['like']}.findings.yaml"), known)
            continue
        wrong = mistake(row, known)
        if wrong:
            raise model.Unreadable(f"{path}: finding {number}: {wrong}")
        findings.append(Finding(**row))
    return findings


def account(findings, entries) -> tuple:
    """How many failures each finding accounts for, in their order, and the failures that none does."""
    counts, left = [0] * len(findings), []
    for entry in entries:
        if entry.result.verdict == "fail":
            number = next((i for i, finding in enumerate(findings) if finding.fits(entry)), None)
            if number is None:
                left.append(entry)
            else:
                counts[number] += 1
    return counts, left


def alike(reason) -> str:
    """A reason without its paths and numbers, but with its codes: failures with the same one have probably the same cause."""
    names = re.sub(r"/[\w/.-]+", "/…", reason)
    return re.sub(r"(?<![\d.])([2-5]\.\d\d)(?![\d.])|\d+(?:\.\d+)?", lambda number: number[1] or "N", names)[:160]


def groups(entries) -> list:
    """[(reason, entries)], the largest first."""
    found = collections.defaultdict(list)
    for entry in entries:
        found[alike(entry.result.reason)].append(entry)
    return sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def table(findings, counts, left) -> str:
    """The table of a client's page; `left` is how many failures nobody has looked at."""
    lines = ["| what | clause | rules | failures | how sure |", "|---|---|---|---|---|"]
    for finding, count in zip(findings, counts):
        rules = ", ".join(f"`{rule}`" for rule in finding.rules)
        lines.append(f"| {finding.what} | {finding.clause} | {rules} | {count or ''} | {finding.sure} |")
    rest = f"{left} failures are accounted for by none of these." if left else "Every failure of the run is accounted for."
    return "\n".join([*lines, "", rest])
