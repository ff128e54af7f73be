# SPDX-License-Identifier: Apache-2.0
"""Our own client at its most talkative: what it prints and logs holds no identity and no key, in no spelling."""
import base64
import pathlib

import pytest

from harness.pytest_bootjack import api

SCENARIOS = sorted((api.ROOT / "scenarios" / "security").glob("*.yaml"))
SECRETS = [bytes.fromhex(text) for text in ("000102030405060708090a0b0c0d0e0f", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
                                            "0f0e0d0c0b0a09080706050403020100", "6465760031", "c3a9c3a9")]
SECRETS += [b"dev-1@mgmt", b"dev-1@moved"]


def spellings(secret):
    yield secret.hex()
    yield secret.hex(" ")
    yield secret.hex(":")
    yield base64.b64encode(secret).decode().rstrip("=")
    if secret.isascii() and secret.decode().isprintable():
        yield secret.decode()


@pytest.fixture(scope="module")
def talkative(tmp_path_factory):
    """The client's profile, with a log of every level."""
    text = (api.ROOT / "harness" / "clients" / "bootjack-client.yaml").read_text()
    path = tmp_path_factory.mktemp("profile") / "talkative.yaml"
    path.write_text(text.replace("  - --endpoint\n", "  - --log-level\n  - debug\n  - --endpoint\n"))
    assert "debug" in path.read_text()
    return path


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: pathlib.Path(path).stem)
def test_no_secret_is_printed(scenario, talkative):
    result = api.run_scenario(scenario, client=talkative, options=["--no-canary"])
    assert result.verdict == "pass", result.reason
    printed = "\n".join(line["text"] for line in result.output)
    assert "holding off" in printed or "registering" in printed
    assert [s for secret in SECRETS for s in spellings(secret) if s.lower() in printed.lower()] == []
