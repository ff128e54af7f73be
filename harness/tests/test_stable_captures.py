# SPDX-License-Identifier: Apache-2.0
"""Scenario to capture to scenario: what is made of a capture, run and captured, gives the same scenario again, in everything
but comments. Over the whole suite, in two runs of all of it: what does not come out the same is listed below, by what a
capture does not show."""
import concurrent.futures
import difflib
import os
import pathlib
import shutil

import pytest

from harness.pytest_bootjack import api

UNSTABLE = pathlib.Path(__file__).parent / "unstable_captures.txt"


def listed():
    """Names of cases, a line each, below the reason why they are there, which begins with '#'."""
    return {line for line in UNSTABLE.read_text().splitlines() if line and not line.startswith("#")}


def without_comments(file):
    return [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]


def convert(captures, folder):
    """A scenario of each capture that holds one client."""
    folder.mkdir()

    def one(capture):
        api.call("from-capture", capture, "-o", folder / f"{name_of(capture)}.yaml", timeout=120)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, captures))
    return {file.stem for file in folder.iterdir()}


def name_of(capture):
    """"blocks-continue": captures are called by the whole path of their scenario."""
    for mark in ("scenarios-", "first-"):
        if mark in capture.stem:
            return capture.stem.split(mark, 1)[1]
    return capture.stem


def run(scenarios, folder):
    done = api.call("run", scenarios, "--pcap", folder, "-j", os.cpu_count(), timeout=300)
    assert done.returncode in (0, 1, 2), done.stderr[-2000:]
    return sorted(folder.glob("*.pcapng"))


def difference(first, second):
    if not second.exists():
        return f"{first.stem}: there is no second scenario"
    lines = difflib.unified_diff(without_comments(first), without_comments(second), "first", "second", n=1, lineterm="")
    return f"{first.stem}:\n" + "\n".join(list(lines)[:20])


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (ci/setup)")
def test_the_second_scenario_is_the_first(tmp_path):
    captures = run(api.ROOT / "scenarios", tmp_path / "captures")
    assert len(captures) > 1000
    convert(captures, tmp_path / "first")
    convert(run(tmp_path / "first", tmp_path / "again"), tmp_path / "second")
    names = {name_of(capture) for capture in captures}
    stable = {file.stem for file in (tmp_path / "first").iterdir() if (tmp_path / "second" / file.name).exists() and
              without_comments(file) == without_comments(tmp_path / "second" / file.name)}
    grown = sorted(names - stable - listed())
    assert not grown, "\n\n".join(difference(tmp_path / "first" / f"{name}.yaml", tmp_path / "second" / f"{name}.yaml")
                                  for name in grown if (tmp_path / "first" / f"{name}.yaml").exists()) or grown
    assert not listed() - names, "they are no longer there"
    assert not listed() & stable, "they are stable now: take them off the list"
