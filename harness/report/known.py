# SPDX-License-Identifier: Apache-2.0
"""What a client's public issue tracker already knows: harness/clients/NAME.known.yaml says which scenarios ask for it, and the
client's page what each came to in the version that was run.

A list of rows, each

    - reference: "issues 445, 446"
      what: DELETE /0 takes the bootstrap account
      scenarios: ["field-bugs/delete-security-takes-the-account *"]
      reason: "/0/0 is missing"
      note: what a reader must know besides

`scenarios` are patterns of names: the path below scenarios/ without .yaml, with its case behind a space. `reason` is a regular
expression: a scenario that fails for another reason has not found it. It and `note` may be left out."""
from __future__ import annotations

import collections
import dataclasses
import fnmatch
import pathlib
import re

import yaml

from . import model


@dataclasses.dataclass
class Issue:
    reference: str
    what: str
    scenarios: list
    reason: str = ""
    note: str = ""


def mistake(row) -> str:
    """What is wrong with a row of the file; empty when nothing is."""
    try:
        issue = Issue(**row)
    except TypeError as problem:
        return str(problem).removeprefix("Issue.__init__() ")
    if not isinstance(issue.scenarios, list) or not issue.scenarios:
        return f"scenarios is a list of patterns, not {issue.scenarios}"
    try:
        re.compile(issue.reason)
    except re.error as problem:
        return f"{issue.reason}: {problem}"
    return ""


def read(path) -> list:
    """The issues of a client's tracker. Raises Unreadable with the row that is wrong."""
    try:
        rows = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise model.Unreadable(f"{path}: {problem}") from problem
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise model.Unreadable(f"{path}: expected a list of issues")
    for number, row in enumerate(rows, 1):
        wrong = mistake(row)
        if wrong:
            raise model.Unreadable(f"{path}: issue {number}: {wrong}")
    issues = [Issue(**row) for row in rows]
    twice = [reference for reference, count in collections.Counter(issue.reference for issue in issues).items() if count > 1]
    if twice:
        raise model.Unreadable(f"{path}: more than one issue has the reference {twice[0]}")
    return issues


def came_to(issue, result) -> str:
    """What one scenario says of the issue."""
    if result.verdict in ("fail", "warn", "xfail"):
        said = [result.reason, *(found["text"] for found in result.broken)]
        return "found" if any(re.search(issue.reason, text) for text in said) else "other"
    return "passed" if result.verdict in ("pass", "bricked") else "not asked"


def gather(issues, entries) -> dict:
    """{reference: {what a scenario came to: how many}}. Raises Unreadable for a pattern that no scenario of the run has."""
    found = {}
    for issue in issues:
        counts = collections.Counter()
        for pattern in issue.scenarios:
            alike = [entry for entry in entries if fnmatch.fnmatchcase(entry.name, pattern)]
            if not alike:
                raise model.Unreadable(f"{issue.reference}: no scenario of the run is named {pattern}")
            counts.update(came_to(issue, entry.result) for entry in alike)
        found[issue.reference] = dict(sorted(counts.items()))
    return found


def outcome(counts) -> str:
    """What the version that was run does."""
    asked = sum(number for what, number in counts.items() if what != "not asked")
    if not asked:
        return "cannot be asked" if counts else "not run yet"
    if counts.get("found"):
        return f"found, by {counts['found']} of {asked}"
    other = f", {counts['other']} of them failed for another reason" if counts.get("other") else ""
    return f"not there: {asked} asked{other}" if other else f"not there: {asked} passed"


def table(issues, found) -> str:
    lines = ["| its tracker | what | scenarios | in this version |", "|---|---|---|---|"]
    for issue in issues:
        names = ", ".join(f"`{pattern.removesuffix(' *')}`" for pattern in issue.scenarios)
        note = f"; {issue.note}" if issue.note else ""
        lines.append(f"| {issue.reference} | {issue.what} | {names} | {outcome(found.get(issue.reference, {}))}{note} |")
    return "\n".join(lines)
