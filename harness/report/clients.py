# SPDX-License-Identifier: Apache-2.0
"""What the suite says of each client, rule by rule: harness/clients/results.json, a picture and a table of it.

    python3 -m harness.report.clients --add wakaama=build/wakaama/results.json   takes a run's results in
    python3 -m harness.report.clients --svg docs/rules-by-client.svg             draws the matrix of rules by client
    python3 -m harness.report.clients --tables                                   writes the tables of harness/clients/*.md
    python3 -m harness.report.clients --check                                    says whether picture and tables are up to date
    python3 -m harness.report.clients --unread wakaama=build/wakaama/results.json  failures that no finding accounts for

results.json keeps no more than how many scenarios that show a rule had each verdict, how many failures each finding of
harness/clients/NAME.findings.yaml (account.py) accounts for, and the verdicts of the scenarios that ask for what its public
issue tracker knows (NAME.known.yaml, known.py): nothing of what was sent."""
from __future__ import annotations

import argparse
import collections
import html
import json
import pathlib
import sys

from . import account, known, model

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "harness" / "clients"
STORE = FOLDER / "results.json"
PICTURE = ROOT / "docs" / "rules-by-client.svg"
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"  # around what is written into a page
COLOURS = {"pass": "#1a7f45", "warn": "#a86200", "xfail": "#4d7a94", "bricked": "#7a5c3a", "inconclusive": "#6b5bb3",
           "skip": "#c9cfd4", "error": "#8f1d5f", "fail": "#c3272b"}
JUDGED = [verdict for verdict in model.ORDER if verdict != "skip"]


def gather(entries, rules) -> dict:
    """{rule: {verdict: how many}} over the scenarios that show the rule; what an oracle found broken counts as failed,
    or as the expected failure that it was."""
    counts = collections.defaultdict(collections.Counter)
    for entry in entries:
        for rule in entry.concerns:
            if rule in rules:
                counts[rule][entry.result.verdict] += 1
    return {rule: dict(sorted(counts[rule].items())) for rule in rules if rule in counts}


def worst(verdicts) -> str:
    """The worst of those that judge; skip when there is none."""
    return next((verdict for verdict in JUDGED if verdicts.get(verdict)), "skip")


def good(verdicts) -> int:
    return verdicts.get("pass", 0) + verdicts.get("warn", 0)


def ran(verdicts) -> int:
    return sum(number for verdict, number in verdicts.items() if verdict != "skip")


# --- the picture ---

CELL, ROW, LEFT, TOP = 92, 15, 250, 84


def cell(x, y, verdicts) -> str:
    if not verdicts:
        return f'<rect x="{x}" y="{y}" width="{CELL - 4}" height="{ROW - 2}" fill="none"/>'
    verdict = worst(verdicts)
    text = "" if verdict == "skip" else f"{good(verdicts)}/{ran(verdicts)}"
    mark = model.SIGNS[verdict]
    return (f'<rect x="{x}" y="{y}" width="{CELL - 4}" height="{ROW - 2}" rx="2" fill="{COLOURS[verdict]}"/>'
            f'<text x="{x + 6}" y="{y + 10}" class="cell{" dim" if verdict == "skip" else ""}">{mark} {text}</text>')


def heading(x, name, rules) -> str:
    judged = [worst(verdicts) for verdicts in rules.values() if worst(verdicts) != "skip"]
    kept = sum(verdict in ("pass", "warn") for verdict in judged)
    return (f'<text x="{x}" y="{TOP - 22}" class="client">{html.escape(name)}</text>'
            f'<text x="{x}" y="{TOP - 8}" class="small">{kept} of {len(judged)} rules</text>')


def rows_of(store, rules):
    """Rules that some client was asked about, by class in the order of rules.yaml."""
    known = [rule for rule in rules if any(rule in client["rules"] for client in store.values())]
    return sorted(known, key=lambda rule: list(dict.fromkeys(r["class"] for r in rules.values())).index(rules[rule]["class"]))


def picture(store, rules) -> str:
    names, rows = sorted(store), rows_of(store, rules)
    width, height = LEFT + CELL * len(names) + 12, TOP + ROW * len(rows) + 34
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
           "<title>Rules by client: the worst verdict of the scenarios that show a rule, and how many passed</title>",
           '<style>text{font:11px ui-monospace,"DejaVu Sans Mono",Menlo,monospace;fill:#1d2125}'
           '.client{font-weight:600;font-size:12px}.small{font-size:10px;fill:#667078}.cell{fill:#fff;font-size:10px}'
           '.dim{fill:#667078}.class{fill:#667078;font-size:10px}</style>',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           '<text x="12" y="24" class="client">Rules by client</text>',
           '<text x="12" y="40" class="small">the worst verdict of the scenarios that show a rule; how many of those run passed</text>']
    out += [heading(LEFT + CELL * i, name, store[name]["rules"]) for i, name in enumerate(names)]
    for number, rule in enumerate(rows):
        y = TOP + ROW * number
        out.append(f'<text x="12" y="{y + 10}">{html.escape(rule)}</text>')
        out += [cell(LEFT + CELL * i, y, store[name]["rules"].get(rule)) for i, name in enumerate(names)]
    legend = "   ".join(f"{model.SIGNS[verdict]} {verdict}" for verdict in ("pass", "warn", "xfail", "inconclusive", "fail", "skip"))
    out.append(f'<text x="12" y="{height - 12}" class="small">{html.escape(legend)}</text>')
    return "\n".join([*out, "</svg>", ""])


# --- the tables ---


def table(client, rules) -> str:
    lines = [f"{client['about']}", "",
             "| rule | level | verdict | passed | failed | skipped | of what |", "|---|---|---|---|---|---|---|"]
    for rule, verdicts in client["rules"].items():
        facts = rules[rule]
        lines.append(f"| `{rule}` | {facts['level']} | {worst(verdicts)} | {good(verdicts)} | {verdicts.get('fail', 0)} | "
                     f"{verdicts.get('skip', 0)} | {facts['text']} |")
    return "\n".join(lines)


def with_part(page, name, text) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = page.split(begin, 1)
    return f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}"


def findings_of(name, rules) -> list:
    path = FOLDER / f"{name}.findings.yaml"
    return account.read(path, rules) if path.is_file() else []


def issues_of(name) -> list:
    path = FOLDER / f"{name}.known.yaml"
    return known.read(path) if path.is_file() else []


def page(name, client, rules) -> str:
    """What the client's page must hold."""
    text = with_part((FOLDER / f"{name}.md").read_text(encoding="utf-8"), "results", table(client, rules))
    issues = issues_of(name)
    if issues:
        text = with_part(text, "known", known.table(issues, client.get("known", {})))
    findings = findings_of(name, rules)
    if not findings or "findings" not in client:  # none, or none was counted yet
        return text
    counts = [client["findings"].get(finding.what, 0) for finding in findings]
    return with_part(text, "findings", account.table(findings, counts, client["unread"]))


def pages(store, rules) -> dict:
    """{path: what it must hold} of every client's page that there is."""
    return {FOLDER / f"{name}.md": page(name, client, rules) for name, client in store.items() if (FOLDER / f"{name}.md").is_file()}


# --- the command ---


def read_store() -> dict:
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.is_file() else {}


def named_results(words):
    """NAME=RESULTS: the name, and the entries of a report on those results."""
    name, _, path = words.partition("=")
    if not name or not path:
        raise model.Unreadable(f"{words}: expected NAME=RESULTS")
    return name, model.make(model.read_results(path), ROOT / "scenarios" / "rules.yaml").entries


def add(store, words, about, rules):
    name, entries = named_results(words)
    counts = collections.Counter(entry.result.verdict for entry in entries)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in model.ORDER if counts[verdict])
    findings = findings_of(name, rules)
    fitting, left = account.account(findings, entries)
    store[name] = {"about": f"{about + ': ' if about else ''}{len(entries)} scenarios: {summary}.",
                   "findings": {finding.what: count for finding, count in zip(findings, fitting)}, "unread": len(left),
                   "rules": gather(entries, rules)}
    issues = issues_of(name)
    if issues:
        store[name]["known"] = known.gather(issues, entries)
    STORE.write_text(json.dumps(dict(sorted(store.items())), indent=1) + "\n", encoding="utf-8")


def tell_unread(words, rules):
    """Failures that no finding of the client accounts for, those with like reasons together; findings that account for none."""
    name, entries = named_results(words)
    findings = findings_of(name, rules)
    counts, left = account.account(findings, entries)
    for reason, alike in account.groups(left):
        print(f"{len(alike)}  {reason}")
        for entry in alike:
            print(f"     {entry.name} ({', '.join(entry.concerns)}): {entry.result.reason}")
    for finding, count in zip(findings, counts):
        if finding.failures and not count:
            print(f"no failure: {finding.what}")
    print(f"{sum(counts)} failures accounted for by {len(findings)} findings, {len(left)} by none")


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m harness.report.clients", description=__doc__.splitlines()[0])
    parser.add_argument("--add", metavar="NAME=RESULTS", help="take in what `bootjack run --json` or --report wrote")
    parser.add_argument("--about", default="", help="what was run, for the table")
    parser.add_argument("--svg", metavar="FILE", help="draw the matrix")
    parser.add_argument("--tables", action="store_true", help="write the tables of harness/clients/NAME.md")
    parser.add_argument("--check", action="store_true", help="exit with 1 when picture or tables are not up to date")
    parser.add_argument("--unread", metavar="NAME=RESULTS", help="print the failures that no finding of the client accounts for")
    given = parser.parse_args(arguments)
    rules, store = model.read_rules(ROOT / "scenarios" / "rules.yaml"), read_store()
    try:
        if given.unread:
            tell_unread(given.unread, rules)
        if given.add:
            add(store, given.add, given.about, rules)
        wanted = pages(store, rules)
    except model.Unreadable as problem:
        print(problem, file=sys.stderr)
        return 2
    if given.svg:
        pathlib.Path(given.svg).write_text(picture(store, rules), encoding="utf-8")
    stale = [path for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    if given.tables:
        for path in stale:
            path.write_text(wanted[path], encoding="utf-8")
    if given.check:
        stale += [PICTURE] if PICTURE.read_text(encoding="utf-8") != picture(store, rules) else []
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: python3 -m harness.report.clients --tables --svg {PICTURE.relative_to(ROOT)}")
        return 1 if stale else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
