# SPDX-License-Identifier: Apache-2.0
"""Same scenario, same seed, same client: the same bytes. Another seed: the same verdict."""
import os

import pytest

from harness.pytest_bootjack import api

SCENARIOS = api.ROOT / "scenarios"
CLIENTS = {"linked": "linked", "exec": "bootjack-client"}
PARALLEL = ["-j", str(os.cpu_count()), "--no-canary"]


def recorded(folder, client, seed, parallel):
    """Every log and capture of a run of the suite, by name, and the verdicts."""
    places = [folder / "logs", folder / "captures"]
    folder.mkdir()
    options = ["--log", places[0], "--pcap", places[1], *parallel]
    results = api.run_scenarios([SCENARIOS], client, seed, options=options)
    files = {path.relative_to(folder): path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}
    return files, [(r.scenario, r.verdict, r.reason, r.virtual_us) for r in results]


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS.keys())
def test_one_seed_gives_the_same_bytes(client, tmp_path):
    first, verdicts = recorded(tmp_path / "first", client, 42, PARALLEL)
    # The second time one after the other: what runs beside a run must not matter.
    second, again = recorded(tmp_path / "second", client, 42, ["--no-canary"])
    assert verdicts == again
    assert first.keys() == second.keys() and len(first) >= 2 * 30
    assert [str(name) for name in first if first[name] != second[name]] == []


# A few each time; `ci/seeds` asks a hundred. The process costs more and is the same client.
SEEDS = {"linked": [2, 3, 5, 7, 11, 1000, 65536, 2**31, 2**40 + 1, 2**62], "exec": [2, 2**62]}


@pytest.mark.parametrize("name", CLIENTS)
def test_many_seeds_give_the_same_verdicts(name):
    def results(seed):
        return api.run_scenarios([SCENARIOS], CLIENTS[name], seed, options=PARALLEL)

    expected = {result.scenario: result.verdict for result in results(42)}
    assert len(expected) >= 30
    different = [f"seed {seed}: {result.scenario}: {result.verdict}: {result.reason}"
                 for seed in SEEDS[name] for result in results(seed) if result.verdict != expected[result.scenario]]
    assert different == []


def test_linked_and_exec_give_the_same_verdicts():
    """Where the process can be told what the scenario needs."""
    linked, process = ({r.scenario: r for r in api.run_scenarios([SCENARIOS], client, 42, options=PARALLEL)}
                       for client in CLIENTS.values())
    assert linked.keys() == process.keys()
    both = [name for name, result in process.items() if result.verdict != "skip"]
    assert len(both) >= 0.8 * len(linked)
    assert {name: linked[name].verdict for name in both} == {name: process[name].verdict for name in both}


def test_another_seed_is_another_run(tmp_path):
    """Otherwise the tests above would say nothing."""
    scenario = SCENARIOS / "good/first-bootstrap.yaml"
    logs = []
    for seed in (1, 2):
        api.run_scenario(scenario, seed=seed, options=["--log", tmp_path / f"{seed}.jsonl"])
        logs.append((tmp_path / f"{seed}.jsonl").read_bytes())
    assert logs[0] != logs[1]
