# SPDX-License-Identifier: Apache-2.0
"""Running scenarios with the `bootjack` program and reading what it reports.

Everything goes through the command line and its JSON, which are documented (README.md, docs/event-log.md); this
module holds no knowledge of its own about scenarios or clients.
"""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERDICTS = ("pass", "fail", "warn", "inconclusive", "skip", "xfail", "error", "bricked")
# Exit statuses of `bootjack`: README.md, "Exit statuses".
ALL_PASSED, SOME_FAILED, COULD_NOT_RUN, WRONG_USAGE = 0, 1, 2, 64


class BootjackMissing(RuntimeError):
    """There is no `bootjack` program to run."""


class ScenarioError(RuntimeError):
    """`bootjack` ran and printed no result: wrong usage, or a defect of its own."""


@dataclasses.dataclass
class Result:
    """What came of one scenario. Times are in microseconds; `events` is empty unless they were asked for."""

    scenario: str  # FILE, or FILE::CASE
    verdict: str
    script_verdict: str = ""  # without the oracles
    reason: str = ""
    title: str = ""
    line: int = 0
    column: int = 0
    virtual_us: int = 0
    real_us: int = 0
    seed: int = 0
    client: str = ""
    rules: list = dataclasses.field(default_factory=list)
    shows: str = ""  # accept, refuse, or nothing
    branches: list = dataclasses.field(default_factory=list)  # alternatives of `either` that were seen
    broken: list = dataclasses.field(default_factory=list)  # rules that oracles found broken
    recovery: str = ""  # what became of the client once the world was healed: registered, idle, bricked, failed
    output: list = dataclasses.field(default_factory=list)  # lines that the client wrote
    events: list = dataclasses.field(default_factory=list)
    reproduce: str = ""  # the command that runs it again in the same way
    capture: str = ""
    exit_status: int = 0
    signal: int = 0
    errors: str = ""  # what `bootjack` wrote on standard error
    command: list = dataclasses.field(default_factory=list)

    @classmethod
    def from_json(cls, value: dict) -> "Result":
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: item for key, item in value.items() if key in known and item is not None})

    @property
    def file(self) -> pathlib.Path:
        return split_case(self.scenario)[0]

    @property
    def case(self) -> str:
        return split_case(self.scenario)[1]

    @property
    def failed(self) -> bool:
        return self.verdict in ("fail", "error")

    def of_kind(self, *kinds: str) -> list:
        return [event for event in self.events if event["kind"] in kinds]


def split_case(scenario) -> tuple:
    """The path and the case (or "") of FILE or FILE::CASE."""
    folder, slash, name = str(scenario).rpartition("/")
    name, _, case = name.partition("::")
    return pathlib.Path(folder + slash + name), case


def find_bootjack() -> pathlib.Path:
    """The program: $BOOTJACK, else the release build, else what is on PATH."""
    named = os.environ.get("BOOTJACK")
    built = ROOT / "build" / "release" / "bin" / "bootjack"
    path = named or (str(built) if built.exists() else shutil.which("bootjack"))
    if path and os.access(path, os.X_OK):
        return pathlib.Path(path).resolve()
    if named:
        raise BootjackMissing(f"BOOTJACK={named} is not a program that can be run")
    raise BootjackMissing(f"no bootjack program: {built} is not there; run ci/build, or set BOOTJACK to its path")


def call(*arguments, program=None, timeout=120, **options) -> subprocess.CompletedProcess:
    """`bootjack`, or another program, with these arguments: how it ended, and what it wrote, as text. `options` are those of
    subprocess.run()."""
    command = [str(program or find_bootjack()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)


def run_command(*arguments, seed=None, client=None) -> list:
    """The command line of `bootjack run` for these arguments, as a person would type it here: paths below the current
    folder are relative, for `bootjack` repeats them where it says how to run a scenario again."""
    program = short(find_bootjack())
    words = [*arguments, *(["--client", client] if client else []), *(["--seed", seed] if seed is not None else [])]
    return [program if "/" in program else f"./{program}", "run", *(short(word) for word in words)]


def short(word) -> str:
    text = str(word)
    path, here = pathlib.Path(text), pathlib.Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else text


def run_scenarios(paths, client=None, seed=None, events=False, options=(), timeout=600) -> list:
    """Runs scenario files, or folders of them, in one call of `bootjack run`. One Result a scenario, in its order."""
    arguments = [*paths, "--json", *(["-v"] if events else []), *options]
    command = run_command(*arguments, seed=seed, client=client)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    errors = done.stderr.decode(errors="replace")
    results = []
    for text in done.stdout.decode(errors="replace").splitlines():
        if text.startswith("{"):
            results.append(dataclasses.replace(Result.from_json(json.loads(text)), errors=errors, command=command))
    if not results:
        raise ScenarioError(f"{shlex.join(command)}: exit status {done.returncode}, no result\n{errors}".strip())
    return results


def list_scenarios(*paths, timeout=120) -> list:
    """What `bootjack check --list` says of files, cases and folders: for each scenario a dict with scenario, title, rules,
    shows and description."""
    command = [str(find_bootjack()), "check", "--list", *map(short, paths)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    if done.returncode != ALL_PASSED:
        raise ScenarioError(f"{shlex.join(command)}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}".strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_scenario(path, client=None, seed=None, events=True, options=(), timeout=600) -> Result:
    """Runs one scenario file."""
    results = run_scenarios([path], client, seed, events, options, timeout)
    return results[-1]


def main() -> int:
    """`python -m harness.pytest_bootjack.api FILE...`: verdicts, one a line; a small example of the API."""
    results = [run_scenario(path, events=False) for path in sys.argv[1:]]
    for result in results:
        print(f"{result.verdict:12} {result.scenario}  {result.reason}")
    return SOME_FAILED if any(result.failed for result in results) else ALL_PASSED


if __name__ == "__main__":
    sys.exit(main())
