# SPDX-License-Identifier: Apache-2.0
"""The same scenario file passes in all ways of attaching a client: linked, exec, network, and against `serve`."""
import json
import re
import subprocess

import pytest

from harness.pytest_bootjack import api

# Those that take little real time, of every topic that needs no simulated network.
QUICK = ["good/first-bootstrap", "good/object-level-writes", "good/resource-level-write", "good/separate-response",
         "good/ssid-is-not-the-instance", "good/write-replaces", "single-account/second-account-refused",
         "single-account/two-in-one-write-refused", "uri-mode/coap-with-nosec", "uri-mode/refused-then-corrected",
         "uri-mode/not-a-uri", "ssid/range-0", "ssid/range-65534", "delete/everything", "codes/discover",
         "codes/security-cannot-be-read"]
FILES = [api.ROOT / f"scenarios/{name}.yaml" for name in QUICK]
WAYS = {"linked": "linked", "exec": "bootjack-client",
        "network": api.ROOT / "harness/tests/clients/bootjack-client-network.yaml"}


def told(results):
    return {r.scenario: f"{r.verdict}: {r.reason}" for r in results if r.verdict != "pass"}


@pytest.mark.parametrize("client", WAYS.values(), ids=WAYS.keys())
def test_the_same_files_pass(client):
    results = api.run_scenarios(FILES, client, options=["-j", "8", "--no-canary", "--limit", "60"], timeout=300)
    assert len(results) == len(QUICK)
    assert told(results) == {}


def test_the_conversation_is_the_same_linked_and_exec():
    """Ids and ports may differ, what is said may not."""

    def said(client):
        sent = api.run_scenario(FILES[0], client).of_kind("sent")
        return [(e["actor"], e["coap"]["type"], e["coap"]["code"], e["coap"].get("path"), e["coap"].get("query"),
                 e["coap"].get("payload")) for e in sent]

    assert said("linked") == said("bootjack-client")


def announced(stream):
    """Address and port of the first server, from what `serve` says on standard error."""
    for line in stream:
        found = re.search(r"(127\.0\.0\.1):(\d+)", line)
        if found:
            return found[1], int(found[2])
    return None


def test_serve_judges_a_client_that_somebody_else_starts(tmp_path):
    bindir = api.find_bootjack().parent
    with subprocess.Popen([bindir / "bootjack", "serve", FILES[0], "--listen", "127.0.0.1:0", "--limit", "30", "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        host, port = announced(server.stderr)
        client = subprocess.Popen([bindir / "bootjack-client", "--endpoint", "dev-1", "--bootstrap",
                                   f"coap://{host}:{port}", "--holdoff", "1"], stdout=subprocess.DEVNULL,
                                  stderr=(tmp_path / "client.log").open("w"))
        try:
            out, _ = server.communicate(timeout=60)
        finally:
            client.kill()
            client.wait()
    assert json.loads(out.splitlines()[-1])["verdict"] == "pass", out
    assert server.returncode == api.ALL_PASSED
