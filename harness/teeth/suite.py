# SPDX-License-Identifier: Apache-2.0
"""The scenarios against one defect: which of them turns red first, and when."""
import dataclasses
import json
import os
import time

from . import tree


@dataclasses.dataclass(frozen=True)
class Outcome:
    killer: "str | None"  # the first scenario that turned red
    reason: str
    seconds: float


def scenario_files():
    """Every scenario as `bootjack run` names it: a file, or FILE::CASE. For the program that was built last."""
    listed = tree.must(str(tree.PROGRAM), "check", "--list", "scenarios", cwd=tree.COPY)
    names = [json.loads(line)["scenario"] for line in listed.splitlines()]
    return sorted(name for name in names if "/canary/" not in name)


def rules_of(results):
    """The rules that each scenario names, from a run of all of them."""
    return {result["scenario"]: set(result.get("rules") or []) for result in results}


def order(files, named, rule):
    """Those that name the rule come first: they are the ones that should notice."""
    return sorted(files, key=lambda file: rule not in named.get(file, ()))


def try_one(name, files, fail_fast=True):
    """Results of the scenarios that ran, as `bootjack run --json` prints them."""
    environment = dict(os.environ, **{tree.SWITCH: name})
    options = ["--fail-fast"] if fail_fast else []
    done = tree.run(str(tree.PROGRAM), "run", "--json", "--limit", "20", "-j", str(os.cpu_count() or 1), *options, *files,
                    cwd=tree.COPY, env=environment)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr


def reds(results):
    """A warning counts: nothing warns of the client without a defect."""
    return [result for result in results if result.get("verdict") in ("fail", "error", "warn", "inconclusive")]


def kill(name, files):
    begin = time.monotonic()
    results, complaint = try_one(name, files)
    took = time.monotonic() - begin
    red = reds(results)
    if not results:
        raise tree.Failed(f"{name}: nothing ran: {complaint}")
    if red:
        return Outcome(red[0]["scenario"], red[0].get("reason", ""), took)
    return Outcome(None, "", took)
