# SPDX-License-Identifier: Apache-2.0
"""Same meaning, same result: `bootjack run --variants`."""
import json

import pytest

from harness.pytest_bootjack import api

# A script that takes whatever the client says to its Writes.
WRITES = """title: One account is written
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - request: {to: bs, path: /bs}
  - respond: 2.04
  - write: /0/1
    tlv: {0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}
  - write: /1
    tlv:
      0: {0: 101, 1: 86400, 6: false, 7: U}
  - finish: {}
"""


def run(*arguments):
    done = api.call("run", *arguments, "--variants", "--no-canary", "--json", "-j", "2")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def scenario(tmp_path):
    def write(text):
        path = tmp_path / "scenario.yaml"
        path.write_text(text)
        return path

    return write


# Those that write accounts; the others write the same ones on their way to something else.
TOPICS = ("delete", "finish", "formats", "good", "registration", "security", "single-account", "ssid", "uri-mode")


def test_what_writes_accounts_goes_the_same_way_whatever_the_words():
    results = run(*(api.ROOT / "scenarios" / topic for topic in TOPICS))
    different = [f"{r['scenario']}: {r['reason']}" for r in results if r["verdict"] not in ("pass", "warn", "bricked", "skip")]
    assert different == []
    assert sum("the same in" in r["reason"] for r in results) >= 80


def test_the_number_of_ways_is_that_of_the_clients_version(scenario):
    ways = {"1.0": 4, "1.1": 12, "1.2": 16}
    for version, count in ways.items():
        text = WRITES.replace("client: {", f'client: {{version: "{version}", ')
        assert run(scenario(text))[0]["reason"] == f"the same in {count} ways"


def test_a_client_that_cannot_read_what_its_profile_says_is_found(scenario, tmp_path):
    profile = tmp_path / "old.yaml"
    text = (api.ROOT / "harness" / "clients" / "bootjack-client.yaml").read_text()
    profile.write_text(text.replace('  - "?--lwm2m-version {version}"\n', '  - --lwm2m-version\n  - "1.0"\n')
                       .replace("bootstrap-read, ", ""))
    result = run(scenario(WRITES), "--client", profile)[0]
    assert result["verdict"] == "fail"
    assert "tlv; senml-json" in result["reason"]
    assert "the client does not do the same" in result["reason"]


def test_values_of_other_types_are_not_told_in_other_formats(scenario):
    result = run(scenario(WRITES.replace("1: 86400", '1: "86400"')))[0]
    assert result["verdict"] == "skip" and "another type" in result["reason"]


def test_what_writes_nothing_is_skipped(scenario):
    text = WRITES[:WRITES.index("  - write")]
    result = run(scenario(text))[0]
    assert result["verdict"] == "skip" and "no Write of values" in result["reason"]
