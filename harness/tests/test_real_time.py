# SPDX-License-Identifier: Apache-2.0
"""The suite over real sockets in real time, for the scenarios that need no long waits: the same files, our client as an
unmodified process, side by side on the same ports, each in a network namespace of its own where the kernel allows it."""
import pathlib
import subprocess
import time

import pytest
import yaml

from harness.pytest_bootjack import api

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST = "scenarios/good/first-bootstrap.yaml"
SHORT_US = 3_000_000
AT_ONCE = "24"  # a case mostly waits


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    """Our client's profile, on the network."""
    values = yaml.safe_load((ROOT / "harness/clients/bootjack-client.yaml").read_text())
    path = tmp_path_factory.mktemp("client") / "network.yaml"
    path.write_text(yaml.safe_dump({**values, "attach": "network"}))
    return path


def short_scenarios():
    """Those that cover little virtual time."""
    results = api.run_scenarios([ROOT / "scenarios"], options=["--no-canary", "-j", "2"])
    return [result.scenario for result in results if result.verdict == "pass" and result.virtual_us < SHORT_US]


def test_the_suite_over_real_sockets(profile, capsys):
    names = short_scenarios()
    begin = time.monotonic()
    results = api.run_scenarios(names, str(profile), options=["-j", AT_ONCE])
    took = time.monotonic() - begin
    bad = [f"{result.scenario}: {result.reason}" for result in results if result.failed]
    passed = sum(result.verdict in ("pass", "warn") for result in results)
    with capsys.disabled():
        print(f"\n{passed} of {len(names)} short scenarios pass over real sockets in {took:.1f} s, "
              f"{len(results) - passed} are skipped or say nothing")
    assert not bad, "\n".join(bad)
    assert len(names) >= 50 and passed >= 0.8 * len(names), "most of them need nothing that the network lacks"


def notes(profile, *options):
    result = api.run_scenario(ROOT / FIRST, str(profile), options=options)
    assert result.verdict == "pass", result.reason
    return [event["text"] for event in result.of_kind("note")]


def namespaces():
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


def test_a_run_says_which_network_it_has(profile):
    own, shared = notes(profile), notes(profile, "--share-network")
    assert not any("network" in note for note in shared)
    if namespaces():
        assert own[0] == "this run has a network of its own"
        assert "server bs listens on 127.0.0.1:5683" in own
    else:
        assert own[0].startswith("this run shares the machine's network: ")


@pytest.mark.skipif(not namespaces(), reason="this kernel allows no network namespaces here")
def test_side_by_side_on_the_same_ports(profile, tmp_path):
    copies = []
    for number in range(8):
        copies.append(tmp_path / f"{number}.yaml")
        copies[-1].write_text((ROOT / FIRST).read_text())
    results = api.run_scenarios(copies, str(profile), events=True, options=["-j", "8"])
    assert [result.verdict for result in results] == ["pass"] * 8
    for result in results:
        assert any(note["text"] == "server mgmt listens on 127.0.0.1:5684" for note in result.of_kind("note"))
