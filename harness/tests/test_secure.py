# SPDX-License-Identifier: Apache-2.0
"""The servers behind DTLS and TLS against programs that none of us wrote: Debian's coap-client on GnuTLS and on
OpenSSL, in virtual time and on a real network, and tshark, which decrypts the capture with the keys that the log
holds."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.pytest_bootjack import api

HERE = pathlib.Path(__file__).parent / "programs"
FLAVOURS = ["coap-client-gnutls", "coap-client-openssl"]
SCHEMES = {"dtls": "coaps", "tls": "coaps+tcp"}
FITTING = "-u device -k 0123456789abcdef"


def run(name, client, options="", seed=1, extra=()):
    """The verdict of the script must be pass; what oracles say of a client is no matter of coap-client's."""
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    scheme = SCHEMES[name.split("-")[0]]
    command = f"exec:{client} {options} -B 100 -m get {scheme}://bs.example/hello"
    result = api.run_scenario(HERE / f"{name}.yaml", client=command, seed=seed, options=["--no-canary", *extra])
    assert result.script_verdict == "pass", f"{result.reason}\n{result.errors}\n{result.output}"
    return result


def output(result):
    return [line["text"] for line in result.output]


def states(result):
    return [event["text"] for event in result.of_kind("tls-state")]


def alerts(result):
    return [event["number"] for event in result.of_kind("tls-state") if event["number"] > 0]


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_a_request_is_answered(transport, client):
    result = run(f"{transport}-answer", client, FITTING)
    assert "hello from the script" in output(result)
    assert "established with TLS-PSK-WITH-AES-128-CCM-8" in states(result)
    heard = [event["coap"] for event in result.of_kind("plain-received")]
    said = [event["coap"] for event in result.of_kind("plain-sent")]
    if transport == "dtls":
        assert [message["path"] for message in heard] == ["/hello"]
        assert [message["code"] for message in said] == ["2.05"]
    kinds = {event["seq"]: event["kind"] for event in result.events}
    carriers = {kinds[event["cause"]] for event in result.of_kind("plain-sent", "plain-received")}
    assert carriers == ({"sent", "received"} if transport == "dtls" else {"stream-sent", "stream-received"})


@pytest.mark.parametrize("client", FLAVOURS)
def test_credentials_of_the_account(client):
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    command = f"exec:{client} -u '{{identity_text}}' -k {{key_text}} -m get {{bs_uri}}/hello"
    result = api.run_scenario(HERE / "dtls-account.yaml", client=command, options=["--no-canary"])
    assert result.script_verdict == "pass", f"{result.reason}\n{result.errors}\n{result.output}"
    assert "hello from the script" in output(result)


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_a_certificate(transport, client):
    result = run(f"{transport}-certificate", client, f"-R {HERE / 'authority.pem'}")
    assert "hello from the script" in output(result)
    assert "established with TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8" in states(result)


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_certificate_of_the_client(client):
    trust = f"-R {HERE / 'authority.pem'}"
    own = f"-c {HERE / 'device.pem'} -j {HERE / 'device-key.pem'}"
    assert "hello from the script" in output(run("dtls-client-certificate", client, f"{trust} {own}"))
    assert alerts(run("dtls-no-certificate", client, trust)) == [40]  # handshake_failure, RFC 5246 section 7.4.6


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_a_wrong_key_is_refused(transport, client):
    result = run(f"{transport}-refused", client, "-u device -k 0123456789abcdeX")
    assert alerts(result) == [20]  # bad_record_mac
    assert not result.of_kind("plain-received")


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_an_unknown_identity_is_refused(transport, client):
    result = run(f"{transport}-refused", client, "-u stranger -k 0123456789abcdef")
    assert alerts(result) == [115]  # unknown_psk_identity, RFC 4279 section 2
    assert "ended: unknown PSK identity" in states(result)


@pytest.mark.parametrize("client", FLAVOURS)
def test_lost_flights_are_sent_again(client):
    """RFC 6347 section 4.2.4: either side repeats its flight after a second."""
    result = run("dtls-lost", client, FITTING)
    assert "hello from the script" in output(result)
    assert result.virtual_us >= 1_000_000 and result.of_kind("lost")


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_separate_answer(client):
    result = run("dtls-separate", client, FITTING)
    assert "hello from the script" in output(result)
    assert 60 <= result.virtual_us / 1e6 < 61


@pytest.mark.parametrize("client", FLAVOURS)
def test_the_same_seed_gives_the_same_conversation(client):
    """The servers' bytes are a function of the seed and of what the client sends."""
    def conversation(seed):
        result = run("dtls-answer", client, FITTING, seed)
        return [(event["t"], event["kind"], event.get("raw")) for event in result.of_kind("sent", "plain-sent")]

    assert conversation(1) == conversation(1)
    assert conversation(1) != conversation(2)


def tshark(capture, *options):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    done = subprocess.run(["tshark", "-r", capture, *options], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_tshark_decrypts_the_capture(transport, client, tmp_path):
    """The secrets stand in the capture: nothing has to be told."""
    capture = tmp_path / "run.pcapng"
    run(f"{transport}-answer", client, FITTING, extra=["--pcap", capture])
    assert "hello from the script" in tshark(capture, "-Y", "coap", "-V")


@pytest.mark.parametrize("name", ["security/psk", "tcp/secure", "security/new-key"])
def test_every_session_of_a_capture_is_decrypted(name, tmp_path):
    """As many messages as the log holds: those of each session with keys of its own."""
    capture = tmp_path / "run.pcapng"
    result = api.run_scenario(api.ROOT / "scenarios" / f"{name}.yaml", options=["--no-canary", "--pcap", capture])
    assert result.verdict == "pass", result.reason
    assert len(result.of_kind("tls-keys")) > 1
    requests = {event["coap"]["token"] for event in result.of_kind("plain-received")
                if event.get("coap", {}).get("method")}
    tokens = tshark(capture, "-Y", "coap.code >= 1 && coap.code <= 7", "-T", "fields", "-e", "coap.token")
    read = {token.replace(":", "") for line in tokens.split() for token in line.split(",")}
    assert requests <= read if name.startswith("security") else read  # those of a stream are not looked at one by one


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("transport", SCHEMES)
def test_on_a_real_network(transport, client):
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    scenario = HERE / f"{transport}-serve.yaml"
    command = [api.find_bootjack(), "serve", scenario, "--listen", "127.0.0.1:0", "--limit", "30", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        port = re.search(r":(\d+)\n", serving.stderr.readline())[1]
        uri = f"{SCHEMES[transport]}://127.0.0.1:{port}/hello"
        asked = subprocess.run([client, *FITTING.split(), "-m", "get", uri], capture_output=True, text=True, timeout=60,
                               check=False)
        said, errors = serving.communicate(timeout=60)
    assert "hello from the script" in asked.stdout, asked.stderr
    assert json.loads(said)["script_verdict"] == "pass", said + errors
