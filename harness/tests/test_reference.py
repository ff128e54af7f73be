# SPDX-License-Identifier: Apache-2.0
"""The reference page of the scenario language: each of its examples is YAML, is what the loader takes, and runs against our
client behind the steps that it needs."""
import subprocess

import pytest

from bootjack import Scenario, values
from harness.pytest_bootjack import api

PAGE = subprocess.run([api.find_bootjack(), "program", "--reference"], capture_output=True, text=True, check=True).stdout


def examples():
    """The steps of each verb's example, by verb."""
    found = {}
    for section in PAGE.split("\n## Verbs\n")[1].split("\n## ")[0].split("\n### ")[1:]:
        name, _, rest = section.partition("\n")
        found[name] = values.parse(rest.split("```yaml\n")[1].split("```")[0])
    return found


EXAMPLES = examples()
ACCOUNT = {"uri": "coap://bs.example", "holdoff": "1s"}
SECURE = {**ACCOUNT, "uri": "coaps://bs.example", "security": "psk", "identity": values.Text("boot"), "key": "00" * 16}
REQUEST = {"request": {"to": "bs", "path": "/bs"}}
BEGIN = [REQUEST, {"respond": 2.04}]
SECURITY = {"write": "/0/1", "tlv": {0: "coap://mgmt.example", 1: False, 2: 3, 3: "", 4: "", 5: "", 10: 101}, "expect": 2.04}
SERVER = {"write": "/1/0", "tlv": {0: 101, 1: 86400, 6: False, 7: "U"}, "expect": 2.04}
BOOTSTRAPPED = [*BEGIN, SECURITY, SERVER, {"finish": {"expect": 2.04}}]
REGISTERED = [{"request": {"to": "mgmt", "path": "/rd"}}, {"respond": {"code": 2.01, "location": "/rd/1"}}]
MANAGED = {"accounts": [{"uri": "coap://mgmt.example", "ssid": 1, "lifetime": "86400s"}]}
OBSERVING = [*REGISTERED, {"observe": "/1/0/1", "server": "mgmt", "expect": 2.05}]

# What stands before an example, and what its client is told where that is not a bootstrap account.
BEFORE = {
    "departure": [*BOOTSTRAPPED[:-1], {"port": "silent", "server": "mgmt"}, {"finish": {"wait": False}}],
    "request": [], "respond": [REQUEST], "discover": [*BEGIN, SECURITY], "read": [*BEGIN, SERVER], "finish": [*BEGIN, SECURITY, SERVER],
    "response": [*BEGIN, {**{k: v for k, v in SERVER.items() if k != "expect"}, "wait": False}], "repeat": [],
    "exit": [{"stop": "term"}], "ack": [REQUEST, {"respond": 2.04, "separate": True}], "again": [*BEGIN, {"discover": "/0"}],
    "reset": [*BEGIN, {"message": {"type": "CON", "code": "0.00"}}], "retransmission": [REQUEST], "ignore": [REQUEST],
    "client-hello": [], "connection": [{"port": "closed", "server": "bs"}], "alert": [{"client-hello": {"to": "bs"}}],
    "hang-up": [REQUEST], "pack": [{"request": {"to": "bs", "path": "/bspack"}}], "start": [*BEGIN, {"power-cut": "none"}],
    "file": [*BOOTSTRAPPED, *REGISTERED], "execute": REGISTERED, "create": REGISTERED, "write-attributes": REGISTERED,
    "observe": REGISTERED, "cancel": OBSERVING, "read-composite": REGISTERED, "write-composite": REGISTERED,
    "observe-composite": REGISTERED,
}
CLIENTS = {
    "client-hello": {"bootstrap": SECURE}, "alert": {"bootstrap": SECURE},
    "connection": {"bootstrap": {**ACCOUNT, "uri": "coap+tcp://bs.example"}}, "hang-up": {"bootstrap": {**ACCOUNT, "uri": "coap+tcp://bs.example"}},
    "pack": {"bootstrap": ACCOUNT, "version": "1.2", "pack": True}, "create": {**MANAGED, "test-object": True},
    **{verb: {"bootstrap": ACCOUNT, "state": {}} for verb in ("start", "power-cut", "disk", "file")},
    **{verb: MANAGED for verb in ("execute", "write-attributes", "observe", "cancel", "read-composite", "write-composite", "observe-composite")},
}
# Loaded, and not run: they are about a client that another example does not have.
LOADED = {"handshake": "needs a server whose certificate nobody vouches for", "input": "needs a client that takes commands",
          "notification": "needs a resource that changes by itself"}


@pytest.mark.parametrize("verb", EXAMPLES)
def test_an_example(verb):
    before = BEFORE.get(verb, BEGIN)
    client = CLIENTS.get(verb, {"bootstrap": ACCOUNT})
    scenario = Scenario(title=f"The example of {verb}", client=client, steps=[*before, *EXAMPLES[verb]])
    assert list(EXAMPLES[verb][0])[0] == verb
    if verb in LOADED:
        scenario.check()
        return
    result = scenario.run()
    assert result.verdict == ("inconclusive" if verb == "inconclusive" else "pass"), f"{result.reason}\n{scenario}"


def test_every_verb_has_an_example():
    verbs = {section.split("\n")[0] for section in PAGE.split("\n## Verbs\n")[1].split("\n## ")[0].split("\n### ")[1:]}
    assert verbs == set(EXAMPLES) and len(verbs) > 45 and set(BEFORE) | set(CLIENTS) | set(LOADED) <= verbs


@pytest.mark.parametrize("step, mistake", [
    ("wriet: /0/1", "3:5: error: no verb in this step: 'wriet' is none (did you mean 'write'?)"),
    ("write: /0/1\n    exspect: 2.04", "4:5: error: write has no field 'exspect' (did you mean 'expect'?)"),
    ("write: /0/1\n    expect: soon", "4:13: error: expected a code such as 2.04 or 4.xx, found 'soon'"),
    ("finish: {server: bz}", "3:22: error: there is no server 'bz': the servers are bs, mgmt (did you mean 'bs'?)"),
    ("request: {path: /bs, method: PSOT}", "(did you mean 'POST'?)"),
    ("advance: 10x", "3:14: error: expected a time such as 10s"),
    ("fault: dorp", "(did you mean 'drop'?)"),
])
def test_check_says_where_and_what_was_meant(step, mistake, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(f"title: t\nsteps:\n  - {step}\n")
    done = api.call("check", file)
    assert done.returncode == 2 and f"{file}:" in done.stderr and mistake in done.stderr
