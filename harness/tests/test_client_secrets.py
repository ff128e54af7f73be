# SPDX-License-Identifier: Apache-2.0
"""Our own client at its most talkative: what it prints and logs holds no identity, no key
and no certificate, in no spelling."""
import base64
import pathlib

import pytest

from harness.pytest_bootjack import api

SCENARIOS = sorted((api.ROOT / "scenarios" / "security").glob("*.yaml"))
SECRETS = [bytes.fromhex(text) for text in ("000102030405060708090a0b0c0d0e0f", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
                                            "0f0e0d0c0b0a09080706050403020100", "6465760031", "c3a9c3a9")]
SECRETS += [b"dev-1@mgmt", b"dev-1@moved"]


def private_number(path):
    """Of a P-256 key: 32 bytes behind the version of its ECPrivateKey (RFC 5915 §3)."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("-----")]
    der = base64.b64decode("".join(lines))
    at = der.index(bytes.fromhex("0201010420")) + 5
    return der[at:at + 32]


def certificate(path):
    """The bytes of the client's certificate that no other has: its signature's end. An account's /3 is no secret, but
    nothing of it belongs into a log."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("-----")]
    return base64.b64decode("".join(lines))[-24:]


PKI = api.ROOT / "scenarios" / "security" / "pki"
SECRETS += [private_number(path) for path in sorted(PKI.glob("*.key"))]
SECRETS += [certificate(PKI / name) for name in ("device.pem", "device-2.pem", "mgmt.pem", "root.pem")]


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
