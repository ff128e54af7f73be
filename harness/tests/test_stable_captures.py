# SPDX-License-Identifier: Apache-2.0
"""Scenario to capture to scenario: what is made of a capture, run and captured, gives the same scenario again, in everything
but comments. Over the whole suite, in two runs of all of it: once with all that a capture of a run says, and once with its
packets alone, which is all that a stranger's capture has. What does not come out the same is listed, by what is missing."""
import concurrent.futures
import difflib
import os
import pathlib
import shutil

import pytest

from harness.pytest_bootjack import api

HERE = pathlib.Path(__file__).parent
LISTS = {"whole": HERE / "unstable_captures.txt", "packets-only": HERE / "unstable_packets.txt"}


def listed(file):
    """Names of cases, a line each, below the reason why they are there, which begins with '#'."""
    return {line for line in file.read_text().splitlines() if line and not line.startswith("#")}


def without_comments(file):
    return [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]


def convert(captures, folder, options=()):
    """A scenario of each capture that holds one client."""
    folder.mkdir()

    def one(capture):
        api.call("from-capture", capture, "-o", folder / f"{name_of(capture)}.yaml", *options, timeout=120)
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


def same(first, second):
    """Names of the scenarios that are the same in both folders."""
    return {file.stem for file in first.iterdir() if (second / file.name).exists() and
            without_comments(file) == without_comments(second / file.name)}


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """Of the whole suite."""
    found = run(api.ROOT / "scenarios", tmp_path_factory.mktemp("suite") / "captures")
    assert len(found) > 1000
    return found


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (ci/setup)")
@pytest.mark.parametrize("how, options", [("whole", ()), ("packets-only", ("--packets-only",))])
def test_the_second_scenario_is_the_first(captures, how, options, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    convert(captures, first, options)
    convert(run(first, tmp_path / "again"), second, options)
    names, known, stable = {name_of(capture) for capture in captures}, listed(LISTS[how]), same(first, second)
    grown = sorted(names - stable - known)
    assert not grown, "\n\n".join(difference(first / f"{name}.yaml", second / f"{name}.yaml")
                                  for name in grown if (first / f"{name}.yaml").exists()) or grown
    assert not known - names, "they are no longer there"
    assert not known & stable, "they are stable now: take them off the list"
