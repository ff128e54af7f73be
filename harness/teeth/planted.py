# SPDX-License-Identifier: Apache-2.0
"""Defects written by hand: planted.yaml. Each names the rule of scenarios/rules.yaml that it breaks and says what goes
wrong, in the words of the rule's clause. An edit that no longer fits the sources is an error: the table is kept true."""
import dataclasses
import pathlib
import re

import yaml

from . import insertions

TABLE = pathlib.Path(__file__).with_name("planted.yaml")
CATALOGUE = pathlib.Path(__file__).resolve().parents[2] / "scenarios" / "rules.yaml"


class Mistake(Exception):
    """The table does not fit the sources, or itself."""


@dataclasses.dataclass(frozen=True)
class Edit:
    file: str
    function: str  # the edit is inside this function
    find: str  # stands there exactly once
    expression: "str | None"  # put in place of an expression,
    statement: "str | None"  # or of statements; empty: they are left out


@dataclasses.dataclass(frozen=True)
class Defect:
    name: str
    rule: str
    text: str
    edits: "tuple[Edit, ...]"


def read(path=TABLE):
    rows = yaml.safe_load(path.read_text())
    defects = [Defect(row["name"], row["rule"], row["text"],
                      tuple(Edit(edit["file"], edit["in"], edit["find"].rstrip("\n"), edit.get("expression"),
                                 edit.get("statement")) for edit in row["edits"])) for row in rows]
    names = [defect.name for defect in defects]
    for name in names:
        if names.count(name) > 1:
            raise Mistake(f"two defects are called {name}")
    return defects


def catalogue(path=CATALOGUE):
    """The ids of all rules."""
    return [rule["id"] for rule in yaml.safe_load(path.read_text())["rules"]]


def rule_count():
    return len(catalogue())


def rules_without(defects, rules=None):
    """Rules of the catalogue that no defect breaks."""
    broken = {defect.rule for defect in defects}
    return [rule for rule in (catalogue() if rules is None else rules) if rule not in broken]


def function_span(text, name):
    """Beginning and end of a function's body, by the layout that clang-format gives."""
    head = re.compile(rf"^[^\s#/][^;{{}}]*\b{re.escape(name)}\((?:[^;{{}}])*\)\s*\{{$", re.M)
    found = list(head.finditer(text))
    if len(found) != 1:
        raise Mistake(f"function {name} is defined {len(found)} times")
    end = text.index("\n}", found[0].end())
    return found[0].end(), end


def insertion(text, edit, number):
    """`text` is the file's; offsets are of characters, and the sources are ASCII where edits are."""
    begin, end = function_span(text, edit.function)
    body = text[begin:end]
    if body.count(edit.find) != 1:
        raise Mistake(f"{edit.function}() holds what is to be broken {body.count(edit.find)} times: {edit.find}")
    start = begin + body.index(edit.find)
    offset = len(text[:start].encode())
    stop = offset + len(edit.find.encode())
    if edit.expression is not None:
        return insertions.Insertion(offset, stop, f"(bj_planted({number}) ? ({edit.expression}) : (", "))")
    if edit.statement is None:
        raise Mistake("an edit needs `expression` or `statement`")
    return insertions.Insertion(offset, stop, f"if (bj_planted({number})) {{ {edit.statement} }} else {{ ", " }")


def plant(root, defects, first):
    """Insertions by file for all defects; they are numbered from `first` on."""
    by_file = {}
    for number, defect in enumerate(defects, first):
        for edit in defect.edits:
            path = root / edit.file
            try:
                one = insertion(path.read_text(), edit, number)
            except (Mistake, OSError) as problem:
                raise Mistake(f"{defect.name}: {edit.file}: {problem}") from problem
            by_file.setdefault(edit.file, []).append(one)
    return by_file
