# SPDX-License-Identifier: Apache-2.0
"""Eclipse Leshan's client, which none of us wrote, over the loopback in real time (harness/clients/leshan-client.yaml).

Skipped where Java, Maven or the registry are not at hand; then `ci/peers leshan-client` says which."""
import pathlib
import subprocess

import pytest

from harness.pytest_bootjack import api

# What was seen by hand of version 2.0.0-M4: harness/clients/leshan-client.md.
EXPECTED = {
    "good/first-bootstrap": "pass",
    "write/regardless-of-rights.yaml::security": "pass",
    "delete/targets.yaml::servers-account-5": "pass",
    # What it was reproached with, and what is lawful.
    "holdoff/trigger": "pass",
    "states/holding-off.yaml::write": "pass",
    "states/reset-after-a-command": "pass",
    "field-bugs/port-0": "pass",
    "reporting/blocks": "pass",
    "blocks/request-tags": "inconclusive",
    "field-bugs/paired-by-instance-and-not-by-ssid": "inconclusive",
    "field-bugs/object-level-write-refused": "inconclusive",
}


@pytest.fixture(scope="module", autouse=True)
def peer():
    done = subprocess.run([api.ROOT / "ci/peers", "leshan-client"], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == 3:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", EXPECTED)
def test_what_leshan_does(name, monkeypatch):
    monkeypatch.chdir(api.ROOT)
    path = pathlib.Path("scenarios") / (name if "::" in name else f"{name}.yaml")
    result = api.run_scenario(path, "leshan-client", options=["--limit", "90", "--no-canary"], timeout=200)
    assert result.verdict == EXPECTED[name], result.reason


def test_its_profile_is_good(monkeypatch):
    monkeypatch.chdir(api.ROOT)
    done = api.call("client", "check", "leshan-client", "--no-probes", timeout=300)
    assert done.returncode == 0, done.stdout
    assert "time is real" in done.stdout
