# SPDX-License-Identifier: Apache-2.0
"""Every power cut of a run: every operation on the client's disk and every step, with every state of the disk. Our client
comes through all of them; programs that leave out a step of replacing a file do not."""
import pathlib
import re
import subprocess

import pytest

from harness.pytest_bootjack import api

LIFE = api.ROOT / "scenarios/life"
PROGRAMS = pathlib.Path(__file__).parent / "programs"


def bootjack(*arguments):
    return subprocess.run([api.find_bootjack(), *map(str, arguments)], cwd=api.ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)


def keeper(how):
    return f"exec:/usr/bin/python3 {PROGRAMS / 'keeper.py'} {how} {{state}}"


def run(scenario, client, *options):
    return api.run_scenarios([scenario], client=client, options=["--no-canary", *options])


@pytest.mark.parametrize("client", ["linked", "bootjack-client"])
def test_our_client_comes_through_all_of_them(client, capsys):
    results = run(LIFE, client, "--power-cuts", "-j", "2")
    with capsys.disabled():
        seconds = sum(result.real_us for result in results) / 1e6
        print(f"\n{client}: {len(results)} power cuts, {seconds:.1f} s of processes", end="")
    assert [f"{result.title}: {result.reason}" for result in results if result.verdict != "pass"] == []
    assert len(results) >= 100
    cuts = [re.search(r"\[power cut at (operation|step) (\d+) of (\d+) \((.*)\), state (\d+) of (\d+)\]$", r.title)
            for r in results]
    assert all(cuts)
    operations = {cut.group(4).split(":")[0] for cut in cuts if cut.group(1) == "operation"}
    assert {"create state.new (mode 0600)", "write state.new", "sync state.new", "rename state.new to state",
            "sync ."} <= operations
    anywhere = [cut for cut, r in zip(cuts, results) if r.scenario.endswith("power-cut-anywhere.yaml")]
    operations = {int(cut.group(2)) for cut in anywhere if cut.group(1) == "operation"}
    assert operations == set(range(1, int(anywhere[0].group(3)) + 1))
    steps = {int(cut.group(2)) for cut in anywhere if cut.group(1) == "step"}
    assert steps == set(range(2, max(steps) + 1)) and len(steps) >= 10  # but those with which the script ends at once
    branches = {branch for r in results if r.scenario.endswith("power-cut-anywhere.yaml") for branch in r.branches}
    assert branches == {"no accounts yet", "those of the first session", "those of the second session"}


@pytest.mark.parametrize("cut", ["2:1", "step-5:0"])
def test_one_of_them_again(cut):
    [result] = run(LIFE / "power-cut-anywhere.yaml", "linked", "--power-cut", cut)
    assert result.verdict == "pass" and f"--power-cut {cut}" in result.reproduce


def test_a_careful_program_comes_through():
    results = run(PROGRAMS / "keeper.yaml", keeper("careful"), "--power-cuts", "-j", "2")
    assert {result.verdict for result in results} == {"pass"} and len(results) >= 15


def test_a_file_that_is_overwritten_is_lost_by_some_cut():
    results = run(PROGRAMS / "keeper.yaml", keeper("overwrites"), "--power-cuts", "-j", "2")
    assert {result.verdict for result in results} == {"pass", "fail"}


@pytest.mark.parametrize("how", ["careless", "unfinished"])
def test_what_is_not_synced_is_lost(how):
    [result] = run(PROGRAMS / "keeper.yaml", keeper(how))
    assert result.verdict == "fail"
    done = bootjack("run", PROGRAMS / "keeper.yaml", "--client", keeper(how), "--no-canary", "--power-cuts")
    assert done.returncode == api.COULD_NOT_RUN and "without a power cut: fail" in done.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_one_seed_gives_the_same_bytes(seed, tmp_path):
    logs = []
    for turn in ("first", "second"):
        log = tmp_path / f"{turn}.jsonl"
        api.run_scenario(PROGRAMS / "keeper.yaml", client=keeper("careful"), seed=seed,
                         options=["--no-canary", "--log", log])
        logs.append(log.read_bytes())
    assert logs[0] == logs[1]


@pytest.mark.parametrize("arguments, status, complaint", [
    (["--power-cuts", api.ROOT / "scenarios/good/first-bootstrap.yaml"], api.COULD_NOT_RUN,
     "no scenario says what must follow a power cut"),
    (["--power-cuts", "--pcap", "x", LIFE], api.WRONG_USAGE, "--power-cuts goes with none of"),
    (["--power-cuts", "--power-cut", "1:1", LIFE], api.WRONG_USAGE, "--power-cuts goes with none of"),
    (["--power-cut", "1", LIFE], api.WRONG_USAGE, "expected OPERATION:STATE"),
    (["--power-cut", "0:1", LIFE], api.WRONG_USAGE, "expected OPERATION:STATE"),
    (["--power-cut", "step-:1", LIFE], api.WRONG_USAGE, "expected OPERATION:STATE"),
    (["--power-cut", "1:1", api.ROOT / "scenarios/life/registers-after-a-power-cut.yaml"], api.COULD_NOT_RUN,
     "the scenario says nothing of power cuts"),
])
def test_what_cannot_be_run(arguments, status, complaint):
    done = bootjack("run", *arguments)
    assert done.returncode == status and complaint in done.stderr + done.stdout
