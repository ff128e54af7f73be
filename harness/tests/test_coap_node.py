# SPDX-License-Identifier: Apache-2.0
"""An independent client, npm's coap-node, so that our servers and our client do not merely agree with each other.

Five scenarios: the good case, hold-off, two refusals, a Finish that never comes. What the profile says of it was read
from captures. Skipped where Node, npm or the registry are not at hand; then `ci/peers coap-node` says which."""
import itertools
import pathlib
import subprocess

import pytest

from harness.pytest_bootjack import api, conversation

EXPECTED = {
    "interop/good": "xfail",  # REG-OBJECTS, as in all that come to a registration
    "interop/holdoff": "xfail",
    "interop/object-level-write": "warn",
    "interop/mismatch": "xfail",
    "interop/no-finish": "xfail",
}


@pytest.fixture(scope="module", autouse=True)
def peer():
    done = subprocess.run([api.ROOT / "ci/peers", "coap-node"], capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        pytest.skip(done.stdout.strip())


@pytest.mark.parametrize("name", EXPECTED)
def test_what_coap_node_does(name, monkeypatch):
    monkeypatch.chdir(api.ROOT)
    result = api.run_scenario(pathlib.Path("scenarios") / f"{name}.yaml", "coap-node")
    assert result.verdict == EXPECTED[name], result.reason


def said(result):
    """Who says what: (actor, type and code, path or payload)."""
    return [(sender, f"{event['coap']['type']} {event['coap'].get('method') or event['coap']['code']}",
             event["coap"].get("path") or event["coap"].get("payload", ""))
            for event, sender in conversation.messages(result.events)]


GOOD = [(1, "CON POST", "/bs"), (3, "ACK 2.04", ""), (3, "CON PUT", "/0/1"), (1, "ACK 2.04", ""), (3, "CON PUT", "/1/0"),
        (1, "ACK 2.04", ""), (3, "CON POST", "/bs"), (1, "ACK 2.04", b"finish".hex()), (1, "CON POST", "/rd"),
        (4, "ACK 2.01", "")]


def test_the_good_case_is_what_captures_of_it_show(monkeypatch):
    monkeypatch.chdir(api.ROOT)
    assert said(api.run_scenario("scenarios/interop/good.yaml", "coap-node")) == GOOD


def test_it_does_the_same_over_loopback(monkeypatch, tmp_path):
    """There its first answer is late: it changes its socket after the Bootstrap-Request, and a command is repeated."""
    monkeypatch.chdir(api.ROOT)
    text = (api.ROOT / "harness/clients/coap-node.yaml").read_text().replace("attach: exec", "attach: network")
    profile = tmp_path / "coap-node-network.yaml"
    profile.write_text(text.replace("{profiledir}", str(api.ROOT / "harness/clients")))
    result = api.run_scenario("scenarios/interop/good.yaml", profile, options=["--limit", "60"])
    assert result.script_verdict == "pass", result.reason
    assert [line for line, _ in itertools.groupby(said(result))] == GOOD
