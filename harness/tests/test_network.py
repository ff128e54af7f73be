# SPDX-License-Identifier: Apache-2.0
"""The servers on real sockets: `bootjack serve`, and clients that `bootjack run` starts beside them. The same scenario
files pass linked, under the preload, and here."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest
import yaml

from harness.pytest_bootjack import api

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSED, FAILED, COULD_NOT_RUN = 0, 1, 2
SCENARIO = """\
title: A request over the network
steps:
  - request: {to: bs, method: GET, path: /hello}
  - respond: 2.05
    text: hello from the script
"""
GET_HELLO = b"\x41\x01\x12\x34\x55\xb5hello"
# Real time passes here, so only scenarios without long waits.
QUICK = ["good/first-bootstrap", "good/write-replaces", "good/object-level-writes", "ssid/mismatch-corrected",
         "single-account/second-account-refused"]


def namespaces():
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def network_profile(tmp_path):
    """Our client's profile, on the network."""
    profile = yaml.safe_load((ROOT / "harness/clients/bootjack-client.yaml").read_text())
    path = tmp_path / "network.yaml"
    path.write_text(yaml.safe_dump({**profile, "attach": "network"}))
    return path


class Serving:
    """`bootjack serve` in the background; knows where each server listens."""

    def __init__(self, path, *options):
        command = [str(api.find_bootjack()), "serve", str(path), "--listen", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ports = {}
        while "mgmt" not in self.ports:
            line = self.process.stderr.readline()
            assert line, self.process.stdout.read()
            name, port = re.fullmatch(r"server (\w+) listens on 127\.0\.0\.1:(\d+)\n", line).groups()
            self.ports[name] = int(port)

    def finish(self):
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out


def test_serve_a_client_that_somebody_else_starts(scenario):
    serving = Serving(scenario, "-v")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(GET_HELLO, ("127.0.0.1", serving.ports["bs"]))
        assert client.recv(1500).endswith(b"\xffhello from the script")
    status, out = serving.finish()
    assert status == PASSED, out
    assert "client -> bs: CON GET /hello" in out
    assert "bs -> client: ACK 2.05" in out


def test_serve_waits_for_a_client_that_somebody_starts_later(tmp_path):
    """Its clock begins with the first message, at the hold-off."""
    scenario = tmp_path / "late.yaml"
    scenario.write_text("title: Late\nclient: {bootstrap: {uri: \"coap://bs.example\", holdoff: 20s}}\nservers: {bs: ~, mgmt: ~}\n"
                        "steps:\n  - request: {to: bs, method: GET, path: /hello, at: 20s}\n  - respond: 2.05\n")
    serving = Serving(scenario, "-v")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        time.sleep(1)
        client.sendto(GET_HELLO, ("127.0.0.1", serving.ports["bs"]))
        client.recv(1500)
    status, out = serving.finish()
    assert status == PASSED, out


@pytest.mark.parametrize("step", ["connection: {to: bs, at: due(holdoff), ends: established}", "client-hello: {to: bs, at: due(holdoff), ends: established}"])
def test_serve_waits_for_a_connection_that_somebody_begins_later(tmp_path, step):
    """Where the script awaits it first: it was said to come before the hold-off was over."""
    scenario, secure = tmp_path / "late.yaml", step.startswith("client-hello")
    account = "coaps+tcp://bs.example\", security: psk, identity: !text d, key: 00" if secure else "coap+tcp://bs.example\""
    scenario.write_text(f"title: Late\nclient: {{bootstrap: {{uri: \"{account}, holdoff: 20s}}}}\n"
                        f"servers: {{bs: {{transport: {'tls' if secure else 'tcp'}}}, mgmt: ~}}\nsteps:\n  - {step}\n")
    serving = Serving(scenario, "-v")
    time.sleep(1)
    if secure:
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{serving.ports['bs']}", "-tls1_2", "-psk", "00", "-psk_identity", "d"],
                       input=b"", capture_output=True, check=False, timeout=30)
    else:
        socket.create_connection(("127.0.0.1", serving.ports["bs"]), 10).close()
    status, out = serving.finish()
    assert status == PASSED, out


def test_serve_a_client_that_does_something_else(scenario):
    serving = Serving(scenario, "--json")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(GET_HELLO.replace(b"hello", b"howdy"), ("127.0.0.1", serving.ports["bs"]))
    status, out = serving.finish()
    result = json.loads(out)
    assert (status, result["verdict"]) == (FAILED, "fail")
    assert "GET /howdy" in result["reason"]
    assert "serve" in result["reproduce"]


def test_serve_gives_up(scenario):
    status, out = Serving(scenario, "--limit", "0.5").finish()
    assert status == FAILED
    assert "the scenario was not over within the limit of 0.5 s" in out


def test_serve_is_interrupted(scenario):
    serving = Serving(scenario)
    serving.process.send_signal(signal.SIGINT)
    assert serving.finish()[0] == COULD_NOT_RUN


def test_serve_that_is_interrupted_keeps_the_conversation(tmp_path):
    """Who stops a device that hangs wants to see what it did."""
    path = tmp_path / "two.yaml"
    path.write_text(SCENARIO + "  - request: {to: bs, method: GET, path: /never}\n")
    capture = tmp_path / "conversation.pcapng"
    serving = Serving(path, "--pcap", str(capture))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(GET_HELLO, ("127.0.0.1", serving.ports["bs"]))
        client.recv(1500)
        serving.process.send_signal(signal.SIGINT)
        assert serving.finish()[0] == COULD_NOT_RUN
    decoded = api.call("decode", "--port", serving.ports["bs"], capture)
    assert "GET /hello" in decoded.stdout and "2.05" in decoded.stdout, decoded.stderr


def test_serve_whose_reader_goes_keeps_the_conversation(tmp_path):
    """`| head`, `| less`: the conversation cannot be shown any more, but it can be kept."""
    path = tmp_path / "two.yaml"
    path.write_text(SCENARIO + "  - request: {to: bs, method: GET, path: /never}\n")
    capture = tmp_path / "conversation.pcapng"
    serving = Serving(path, "-v", "--pcap", str(capture))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(GET_HELLO, ("127.0.0.1", serving.ports["bs"]))
        client.recv(1500)
        serving.process.stdout.close()  # not earlier: what is said before the request would end it
        client.sendto(GET_HELLO, ("127.0.0.1", serving.ports["bs"]))
        said = serving.process.stderr.read()
    assert serving.process.wait(30) == COULD_NOT_RUN
    assert said == "bootjack: standard output: Broken pipe\n"
    assert "GET /hello" in api.call("decode", "--port", serving.ports["bs"], capture).stdout


@pytest.mark.parametrize("place, why", [("{folder}", "Is a directory"), ("{folder}/none/x", "No such file or directory"),
                                        ("{folder}/two.yaml/x", "Not a directory")])
def test_serve_whose_capture_cannot_be_written_awaits_no_device(place, why, tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(SCENARIO)
    name = place.format(folder=tmp_path)
    done = api.call("serve", path, "--listen", "127.0.0.1:0", "--limit", "1", "--pcap", name)
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == f"bootjack: {name}: {why}\n"


def test_serve_on_an_address_that_is_not_ours(scenario):
    command = [str(api.find_bootjack()), "serve", str(scenario), "--listen", "192.0.2.77:5683"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == COULD_NOT_RUN, done.stdout


LINK_LOCAL = """\
import re, socket, subprocess, sys
for command in ("ip link set lo up", "ip -6 addr add fe80::1/64 dev lo nodad", "ip -6 addr add fe80::2/64 dev lo nodad"):
    subprocess.run(command.split(), check=True)
serving = subprocess.Popen([*sys.argv[1:]], stderr=subprocess.PIPE, text=True)
port = int(re.search(r":(\\d+)$", serving.stderr.readline())[1])
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
client.settimeout(10)
interface = socket.if_nametoindex("lo")
client.bind(("fe80::2", 0, 0, interface))
client.connect(("fe80::1", port, 0, interface))
client.send(bytes.fromhex("4101123455b568656c6c6f"))
assert client.recv(1500).endswith(b"\\xffhello from the script")
sys.exit(serving.wait(30))
"""


@pytest.mark.skipif(not namespaces(), reason="this kernel allows no network namespaces here")
@pytest.mark.parametrize("listen", ["[::]:0", "[fe80::1%lo]:0"])
def test_serve_a_client_with_a_link_local_address(listen, scenario):
    """An answer to fe80::2 needs the interface over which it goes: that of the request."""
    done = subprocess.run(["unshare", "-rn", "/usr/bin/python3", "-c", LINK_LOCAL, str(api.find_bootjack()), "serve",
                           str(scenario), "--listen", listen], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == PASSED, done.stdout + done.stderr


@pytest.mark.parametrize("listen, why", [
    ("[fe80::1]:0", "a link-local address needs its interface, [ADDRESS%eth0]:PORT"),
    ("[fe80::1%no-such-thing]:0", "there is no such interface"),
    ("[::1%lo]:0", "only a link-local address has an interface")])
def test_serve_says_what_is_wrong_with_an_interface(listen, why, scenario):
    done = api.call("serve", scenario, "--listen", listen)
    assert done.returncode == 64
    assert done.stderr.startswith(f"bootjack serve: --listen {listen}: {why}\n")


def test_run_starts_the_client(scenario):
    command = "network:coap-client-notls -m get {bs_uri}/hello"
    result = api.run_scenario(scenario, client=command, options=["--no-canary"])
    assert result.verdict == "pass", result.reason


def test_a_client_on_the_network_that_ends(scenario):
    result = api.run_scenario(scenario, client="network:sh -c 'exit 5'", options=["--no-canary"])
    assert result.verdict == "fail"
    assert "status 5" in result.reason


def test_a_profile_that_says_of_no_command(scenario, tmp_path):
    """Somebody else may start the client of `serve`; `run` cannot."""
    profile = tmp_path / "profile.yaml"
    profile.write_text("name: c\nattach: network\n")
    done = subprocess.run([str(api.find_bootjack()), "run", scenario, "--client", profile, "--no-canary"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == COULD_NOT_RUN, done.stdout + done.stderr
    assert "the client's profile has no command" in done.stdout


@pytest.mark.parametrize("command, reason", [
    ("/usr/bin/yes {bs_uri} {endpoint}", "expected POST /bs?ep=dev-1 at bs until 3.5"),
    ("/bin/sh -c '/usr/bin/yes {bs_uri} {endpoint} & exit 5'", "the client ended by itself: exit status 5"),
])
def test_output_without_end_does_not_hold_up_the_script(command, reason):
    """What it started writes on when the client itself has ended."""
    path = ROOT / "scenarios/good/first-bootstrap.yaml"
    done = subprocess.run([str(api.find_bootjack()), "run", path, "--client", f"network:{command}", "--no-canary"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert reason in done.stdout


def test_the_canary_does_not_wait_for_minutes_of_real_time():
    """A client that says nothing has not passed it."""
    done = subprocess.run([str(api.find_bootjack()), "run", ROOT / "scenarios/good/first-bootstrap.yaml", "--client",
                           "network:/usr/bin/yes {bs_uri} {endpoint}"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert "the client sent nothing" in done.stdout


@pytest.mark.parametrize("ending", ["exit 0", "sleep 60"])
def test_what_a_client_starts_for_itself_does_not_outlive_the_run(ending, scenario, tmp_path):
    """A daemon is in a session of its own and its parent has ended: it is found all the same, when the client ends and
    when the run ends first."""
    number = tmp_path / "number"
    client = tmp_path / "client"
    client.write_text(f"#!/bin/sh\n(setsid sleep 61 >/dev/null 2>&1 & echo $! >'{number}')\n{ending}\n")
    client.chmod(0o755)
    done = subprocess.run([str(api.find_bootjack()), "run", scenario, "--client", f"network:{client}", "--no-canary",
                           "--limit", "2"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == FAILED, done.stdout + done.stderr
    daemon = pathlib.Path("/proc") / number.read_text().strip() / "cmdline"
    left = daemon.exists() and b"sleep" in daemon.read_bytes()
    if left:
        os.kill(int(daemon.parent.name), signal.SIGKILL)
    assert not left


def test_a_client_on_the_network_that_is_not_there(scenario):
    result = api.run_scenario(scenario, client="network:/nowhere/client", options=["--no-canary"])
    assert result.verdict == "error"
    assert "the client was not found" in result.reason


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("client", ["linked", "bootjack-client", "network"])
def test_the_same_scenario_in_all_three_ways(name, client, network_profile):
    client = network_profile if client == "network" else client
    result = api.run_scenario(ROOT / "scenarios" / f"{name}.yaml", client=client, options=["--no-canary"], timeout=300)
    assert result.verdict == "pass", result.reason


LIFE = """\
title: A client that is killed and started again registers with what is in its file
client: {bootstrap: {uri: "coap://bs.example", holdoff: 1s}, state: {}}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 2.04
  - write: /0/1
    tlv: {0: "coap://mgmt.example:5683", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}
    expect: 2.04
  - write: /1/0
    tlv: {0: 101, 1: 86400, 6: false, 7: U}
    expect: 2.04
  - finish: {expect: 2.04}
  - request: {to: mgmt, method: POST, path: /rd}
  - respond: 2.01
    location: /rd/1
  - power-cut: {}
  - start: {}
  - request: {to: mgmt, method: POST, path: /rd}
  - respond: 2.01
    location: /rd/2
  - stop: term
  - request: {to: mgmt, method: DELETE, path: /rd/2}
  - respond: 2.02
  - exit: 0
  - start: {}
  - request: {to: mgmt, method: POST, path: /rd}
  - respond: 2.01
    location: /rd/3
"""


def test_a_client_that_is_started_again(network_profile, tmp_path, monkeypatch):
    path = tmp_path / "life.yaml"
    path.write_text(LIFE)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    result = api.run_scenario(path, client=network_profile, options=["--no-canary"], timeout=120)
    assert result.verdict == "pass", result.reason
    kinds = [event["kind"] for event in result.events]
    assert kinds.count("client-start") == 3 and kinds.count("power-cut") == 1 and kinds.count("client-exit") == 1
    assert list(folder.iterdir()) == []  # the state's folder is gone with the run
