# SPDX-License-Identifier: Apache-2.0
"""Mutants that are no faults: the compiler makes the same code of them, or equivalent.yaml lists them, each with the reason
why nobody outside could tell. Both are printed, and stand in neither part of the score."""
import dataclasses
import pathlib
import subprocess
import tempfile

import yaml

TABLE = pathlib.Path(__file__).with_name("equivalent.yaml")
FLAGS = ("-std=c11", "-O2", "-DNDEBUG", "-D_GNU_SOURCE", '-DBJC_VERSION="0"', "-w", "-c")


class Mistake(Exception):
    """An entry of the table fits no mutant, or several."""


@dataclasses.dataclass(frozen=True)
class Entry:
    file: str
    function: str
    kind: str
    text: str  # what is mutated
    context: str  # part of the line on which it begins; may be empty
    nth: int  # of those that are otherwise the same
    reason: str


def read(path=TABLE):
    rows = yaml.safe_load(path.read_text()) or []
    return [Entry(row["file"], row["in"], row["kind"], row["text"], row.get("line", ""), row.get("nth", 1), row["reason"])
            for row in rows]


def fits(entry, mutant):
    return (mutant.file, mutant.function, mutant.kind, mutant.first_line) == (
        entry.file, entry.function, entry.kind, entry.text) and entry.context in mutant.context


def listed(entries, mutants):
    """The reasons by the names of the mutants."""
    found = {}
    for entry in entries:
        alike = [mutant for mutant in mutants if fits(entry, mutant)]
        if len(alike) < entry.nth:
            raise Mistake(f"equivalent.yaml: {entry.file}: {entry.function}() has no such mutant: "
                          f"{entry.kind}: {entry.text} (number {entry.nth})")
        mutant = alike[entry.nth - 1]
        if mutant.name in found:
            raise Mistake(f"equivalent.yaml: {entry.file}: {entry.function}(): {entry.kind}: {entry.text} stands there twice")
        found[mutant.name] = entry.reason
    return found


def code(root, file, data, compiler):
    """What the compiler makes of the file's text; None when it does not compile."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / pathlib.Path(file).name
        source.write_bytes(data)
        done = subprocess.run([compiler, *FLAGS, f"-I{root}/client/src", f"-I{root}/client/include", source.name, "-o", "object"],
                              cwd=folder, capture_output=True, check=False)
        return (pathlib.Path(folder) / "object").read_bytes() if done.returncode == 0 else None


def same_code(root, mutant, compiler="cc"):
    """Whether the mutant and the sound file become the same bytes."""
    sound = (root / mutant.file).read_bytes()
    other = code(root, mutant.file, mutant.source(sound), compiler)
    return other is not None and other == code(root, mutant.file, sound, compiler)
