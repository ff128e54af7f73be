# SPDX-License-Identifier: Apache-2.0
"""`bootjack serve --suite`: cases one after the other over real sockets, with our own client as the device on the bench. A
reset command kills it and starts it again, as a power switch would."""
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
import yaml

from harness.pytest_bootjack import api

PASSED, FAILED, COULD_NOT_RUN, USAGE = 0, 1, 2, 64
GOOD = api.ROOT / "scenarios/good/first-bootstrap.yaml"
CORRECTED = api.ROOT / "scenarios/ssid/mismatch-corrected.yaml"
IMPOSSIBLE = """\
title: The device asks for what it never asks for
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}}
  - respond: 2.04
  - request: {to: bs, method: GET, path: /never, within: 2s}
"""
SECURE = """\
title: A device bootstraps over DTLS, with the key that it has
client: {bootstrap: {uri: "coaps://bs.example", security: psk, identity: !text other, key: 00ff}}
servers: {bs: {transport: dtls}, mgmt: ~}
steps:
  - request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}}
  - respond: 2.04
  - {write: /0/1, tlv: {0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}, expect: 2.04}
  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U}, expect: 2.04}
  - finish: {expect: 2.04}
  - request: {to: mgmt, method: POST, path: /rd}
  - respond: 2.01
    location: /rd/1
"""
STREAM = """\
title: A device bootstraps over TCP
client: {bootstrap: {uri: "coap+tcp://bs.example"}}
servers: {bs: {transport: tcp}}
steps:
  - request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}}
  - respond: 2.04
  - discover: /
    expect: 2.05
"""


class Bench:
    """A folder with a reset command, and the ends of the devices that it started."""

    def __init__(self, folder):
        self.folder, self.report = folder, folder / "report"
        self.reset = folder / "reset.sh"
        self.device()

    def device(self, scheme="coap", options=""):
        client = api.find_bootjack().parent / "bootjack-client"
        self.reset.write_text(f"""#!/bin/sh
cd {self.folder}
[ -f $BOOTJACK_DEVICE.pid ] && kill -9 $(cat $BOOTJACK_DEVICE.pid) 2>/dev/null
echo "$BOOTJACK_DEVICE $BOOTJACK_SCENARIO" >> resets
{client} --endpoint $BOOTJACK_DEVICE --bootstrap {scheme}://$BOOTJACK_SERVER {options} >/dev/null 2>&1 </dev/null &
echo $! > $BOOTJACK_DEVICE.pid
""")
        self.reset.chmod(0o755)

    def profile(self, **fields):
        path = self.folder / "device.yaml"
        path.write_text(yaml.safe_dump({"name": "device", "attach": "network", "command": ["device", "{bs_uri}"],
                                        "facts": ["discover", "lwm2m-1.1", "lwm2m-1.0"], "tolerance": "5s", **fields}))
        return path

    def command(self, *arguments):
        return [str(word) for word in (api.find_bootjack(), "serve", "--listen", f"127.0.0.1:{self.port()}", "--report",
                                       self.report, *arguments)]

    @staticmethod
    def port():
        """One from which on several are free, as likely as not: those of the kernel's own choice begin higher."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return 10000 + probe.getsockname()[1] % 20000

    def run(self, *arguments, answers=None):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120, check=False,
                              input=answers)

    def results(self, device="dev-1"):
        lines = (self.report / f"{device}.jsonl").read_text().splitlines()
        return {os.path.basename(row["scenario"]): row["verdict"] for row in map(json.loads, lines)}

    def resets(self):
        path = self.folder / "resets"
        return path.read_text().splitlines() if path.is_file() else []

    def close(self):
        for path in self.folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGKILL)


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def test_case_after_case_with_a_reset_command(bench):
    done = bench.run("--suite", GOOD, "--suite", CORRECTED, "--reset-cmd", bench.reset, "--profile", bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results() == {"first-bootstrap.yaml": "pass", "mismatch-corrected.yaml": "pass"}
    assert len(bench.resets()) == 2
    assert "rules" in (bench.report / "index.html").read_text().lower()


def test_what_was_stopped_goes_on(bench, tmp_path):
    impossible = tmp_path / "impossible.yaml"
    impossible.write_text(IMPOSSIBLE)
    suite = ["--suite", GOOD, "--suite", impossible, "--reset-cmd", bench.reset, "--profile", bench.profile()]
    with subprocess.Popen(bench.command(*suite), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "pass" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == COULD_NOT_RUN and "the same command goes on from here" in err
    assert list(bench.results()) == ["first-bootstrap.yaml"]
    with open(bench.report / "dev-1.jsonl", "a", encoding="utf-8") as results:
        results.write('{"scenario":"torn')
    done = bench.run(*suite)
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert bench.results() == {"first-bootstrap.yaml": "pass", "impossible.yaml": "fail"}
    assert sum("first-bootstrap" in line for line in bench.resets()) == 1
    assert bench.run(*suite).returncode == FAILED  # nothing is left to be run, and what failed has failed


def test_what_could_not_run_is_tried_again(bench):
    suite = ["--suite", GOOD, "--suite", CORRECTED, "--reset-cmd", bench.reset, "--profile", bench.profile()]
    for _ in range(2):
        done = bench.run(*suite, "--listen", "192.0.2.77:5683")
        assert done.returncode == COULD_NOT_RUN, done.stdout + done.stderr
        assert "1 of 2: error" in done.stdout and "2 of 2: error" in done.stdout
    done = bench.run(*suite)
    assert done.returncode == PASSED, done.stdout + done.stderr
    lines = (bench.report / "dev-1.jsonl").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["pass", "pass"]


def test_several_devices_at_once(bench):
    done = bench.run("--suite", GOOD, "--reset-cmd", bench.reset, "--device", "one", "--device", "two:b", "--profile",
                     bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results("one") == bench.results("two:b") == {"first-bootstrap.yaml": "pass"}
    page = (bench.report / "index.html").read_text()
    assert "two:b" in page and ">one<" in page


def test_several_devices_at_one_port(bench):
    """Each is told the same address, and gets to its own case by its name."""
    suite = ["--suite", GOOD, "--suite", CORRECTED, "--one-port"]
    done = bench.run(*suite, "--reset-cmd", f"echo $BOOTJACK_SERVER >> {bench.folder}/servers; {bench.reset}", "--device", "one", "--device",
                     "two:b", "--device", "three", "--profile", bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    for name in ("one", "two:b", "three"):
        assert bench.results(name) == {"first-bootstrap.yaml": "pass", "mismatch-corrected.yaml": "pass"}
    assert len(set((bench.folder / "servers").read_text().split())) == 1
    rows = [json.loads(line) for line in (bench.report / "three.jsonl").read_text().splitlines()]
    names = {event["coap"]["query"]["ep"] if isinstance(event["coap"].get("query"), dict) else str(event["coap"]["query"])
             for row in rows for event in row["events"] if (event.get("coap") or {}).get("path") == "/bs"
             and event["coap"].get("query")}
    assert names and all("three" in name for name in names)


def over_tcp(folder):
    path = folder / "stream.yaml"
    path.write_text(STREAM)
    return path


def test_one_port_for_streams(bench, tmp_path):
    """Nothing can be read before the server has answered (RFC 8323 section 5.3: a client may wait for its settings)."""
    port = bench.port()
    bench.device("coap+tcp")
    bench.reset.write_text(bench.reset.read_text() + f"[ $BOOTJACK_SERVER = 127.0.0.1:{port} ] || exit 4\n")
    done = bench.run("--listen", f"127.0.0.1:{port}", "--suite", over_tcp(tmp_path), "--one-port", "--reset-cmd", bench.reset, "--device",
                     "one@127.0.0.1", "--device", "two", "--profile", bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results("one") == {"stream.yaml": "pass"}
    assert bench.results("two") == {"stream.yaml": "skip"} and "is known by its address alone: --device two@ADDRESS" in done.stdout


def test_one_device_at_one_port_needs_no_address(bench, tmp_path):
    bench.device("coap+tcp")
    done = bench.run("--suite", over_tcp(tmp_path), "--one-port", "--reset-cmd", bench.reset, "--profile",
                     bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results() == {"stream.yaml": "pass"}


def streams(door):
    """Two ends of a connection through the door: that of a client, and the server's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", door + 32))
        listener.listen()
        client = socket.create_connection(("127.0.0.1", door), 20)
        server, _ = listener.accept()
        return client, server


def everything(end, room=65536):
    parts = []
    while part := end.recv(room):
        parts.append(part)
    return b"".join(parts)


def test_streams_through_the_door(bench, tmp_path):
    """Much data, either end of either side, and a reset, come through as they are."""
    port, suite = bench.port(), tmp_path / "suite"
    suite.mkdir()
    (suite / "impossible.yaml").write_text(IMPOSSIBLE)
    command = bench.command("--listen", f"127.0.0.1:{port}", "--suite", suite, "--one-port", "--device", "one", "--device",
                            "two@127.0.0.1", "--reset-cmd", "true", "--profile", bench.profile(ready={"request": True}))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            door = port
            while True:  # until it stands there. The servers of that suite speak UDP: the ports for TCP are ours
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", door), 20) as nobody:
                    with pytest.raises(ConnectionResetError):  # nobody listens behind it
                        nobody.recv(1)
                    break
            client, server = streams(door)
            data = os.urandom(3_000_000)
            threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)), daemon=True).start()
            assert everything(server) == data
            server.sendall(data[:100_000])
            server.close()
            assert everything(client) == data[:100_000]
            client.close()
            client, server = streams(door)
            client.sendall(b"x")
            assert server.recv(1) == b"x"
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.close()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            client.close()
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_whoever_stops_the_bench_alone_stops_its_devices(bench):
    """As a service manager does: at the terminal all of them hear of Ctrl-C."""
    silent = bench.profile(ready={"request": True})
    command = bench.command("--suite", GOOD, "--device", "one", "--device", "two", "--profile", silent,
                            "--reset-cmd", f"echo x >> {bench.folder}/resets")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(bench.resets()) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == COULD_NOT_RUN
    assert said.count("stopped; the same command goes on from here") == 2, said


def test_one_port_needs_an_address(bench):
    command = [str(word) for word in (api.find_bootjack(), "serve", "--listen", "0.0.0.0:5683", "--report", bench.report,
                                      "--suite", GOOD, "--one-port", "--reset-cmd", "x")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == USAGE and "--one-port needs an address" in done.stderr


@pytest.mark.parametrize("port, options, last", [(65520, ["--device", "one", "--device", "two"], 65536), (65530, ["--one-port"], 65546)])
def test_the_ports_of_all_devices_are_ports(bench, port, options, last):
    """They were counted beyond the last one, and began again at 0."""
    command = [str(word) for word in (api.find_bootjack(), "serve", "--listen", f"127.0.0.1:{port}", "--report", bench.report,
                                      "--suite", GOOD, "--reset-cmd", "exit 1", *options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == USAGE, done.stdout + done.stderr
    assert f"--listen 127.0.0.1:{port}: the last device would begin at port {last}" in done.stderr
    assert not bench.report.exists()


def test_over_dtls_with_the_key_of_the_device(bench, tmp_path):
    secure = tmp_path / "secure.yaml"
    secure.write_text(SECURE)
    bench.device("coaps", "--bootstrap-identity 6d65 --bootstrap-key 00112233445566778899aabbccddeeff")
    key = bench.profile(**{"built-in": {"identity": "6d65", "key": "00112233445566778899aabbccddeeff"}})
    done = bench.run("--suite", secure, "--suite", GOOD, "--reset-cmd", bench.reset, "--profile", key)
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results() == {"secure.yaml": "pass", "first-bootstrap.yaml": "skip"}


class Elsewhere(threading.Thread):
    """What makes a client of this machine come from another address, as a device on a bench does: a relay of datagrams."""

    def __init__(self, address, door):
        super().__init__(daemon=True)
        self.address, self.door, self.outside, self.over = address, door, {}, False
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", 0))
        self.port = self.inside.getsockname()[1]
        self.start()

    def towards_the_door(self, client):
        if client not in self.outside:
            there = self.outside[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            there.bind((self.address, 0))
            there.connect(("127.0.0.1", self.door))
        return self.outside[client]

    def run(self):
        while not self.over:
            ready, _, _ = select.select([self.inside, *self.outside.values()], [], [])
            for client, there in list(self.outside.items()):
                if there in ready:
                    with contextlib.suppress(ConnectionRefusedError):
                        self.inside.sendto(there.recv(65536), client)
            if self.inside in ready and not self.over:
                data, client = self.inside.recvfrom(65536)
                with contextlib.suppress(ConnectionRefusedError):
                    self.towards_the_door(client).send(data)

    def close(self):
        """Not under the thread's select(): that would hold on to whatever gets the numbers of these sockets next."""
        self.over = True
        self.inside.sendto(b"", ("127.0.0.1", self.port))
        self.join()
        self.inside.close()
        for there in self.outside.values():
            there.close()


def test_devices_behind_dtls_at_one_port(bench, tmp_path):
    """Each has an identity, a key and a profile of its own, and is known by the address from which it comes."""
    secure, port, devices, options = tmp_path / "secure.yaml", bench.port(), {"one": "127.0.0.2", "two": "127.0.0.3"}, []
    secure.write_text(SECURE)
    relays = {name: Elsewhere(address, port) for name, address in devices.items()}
    client = api.find_bootjack().parent / "bootjack-client"
    cases = ""
    for name, address in devices.items():
        identity, key = name.encode().hex(), name.encode().hex() * 4
        profile = bench.profile(**{"built-in": {"identity": identity, "key": key}}).rename(tmp_path / f"{name}.yaml")
        options += ["--device", f"{name}@{address}", "--profile", profile]
        cases += (f"{name}) {client} --endpoint {name} --bootstrap coaps://127.0.0.1:{relays[name].port} --bootstrap-identity {identity} "
                  f"--bootstrap-key {key} >/dev/null 2>&1 </dev/null & ;;\n")
    bench.reset.write_text(f"#!/bin/sh\ncd {tmp_path}\n[ $BOOTJACK_SERVER = 127.0.0.1:{port} ] || exit 4\n"
                           f"case $BOOTJACK_DEVICE in\n{cases}esac\necho $! > $BOOTJACK_DEVICE.pid\n")
    done = bench.run("--listen", f"127.0.0.1:{port}", "--one-port", "--suite", secure, "--reset-cmd", bench.reset, *options)
    for relay in relays.values():
        relay.close()
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results("one") == bench.results("two") == {"secure.yaml": "pass"}
    shown = {name: (bench.report / f"{name}.jsonl").read_text() for name in devices}
    assert "6f6e65" in shown["one"] and "74776f" not in shown["one"] and "6f6e65" not in shown["two"]


def test_what_the_device_cannot_be_told_is_skipped(bench):
    other = api.ROOT / "scenarios/holdoff/refused-500.yaml"
    done = bench.run("--suite", other, "--reset-cmd", bench.reset, "--profile", bench.profile())
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert bench.results() == {"refused-500.yaml": "skip"}
    assert bench.resets() == []
    assert "the client cannot be told a hold-off" in done.stdout


def test_an_operator_is_asked(bench):
    done = bench.run("--suite", GOOD, "--interactive", "--profile", bench.profile(), answers="s\n")
    assert done.returncode == PASSED, done.stderr
    assert "Restart the device" in done.stderr
    assert "the operator left it out" in done.stdout
    other = bench.run("--suite", CORRECTED, "--interactive", "--profile", bench.profile(), answers="q\n")
    assert other.returncode == COULD_NOT_RUN
    assert "goes on from here" in other.stderr


def test_a_reset_command_that_fails(bench):
    done = bench.run("--suite", GOOD, "--reset-cmd", "exit 3", "--profile", bench.profile())
    assert done.returncode == COULD_NOT_RUN
    assert "the reset command ended with status 3" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    (["--interactive"], ""), (["--suite", str(GOOD)], "--interactive and --reset-cmd"),
    (["--suite", str(GOOD), "--interactive", "--reset-cmd", "x"], "--interactive and --reset-cmd"),
    (["--suite", str(GOOD), "--interactive", "--device", "a", "--device", "b"], "need --reset-cmd"),
    (["--suite", str(GOOD), "--interactive", "--device", "a/b"], "expected letters"),
    (["--suite", str(GOOD), "--interactive", "--device", "a@b"], "expected an IPv4 or IPv6 address behind the @"),
    (["--suite", str(GOOD), "--reset-cmd", "x", "--device", "a", "--profile", "linked", "--profile", "linked"], "once for each --device"),
    (["--suite", str(GOOD), "--reset-cmd", "x", str(GOOD)], "each path needs its own"),
])
def test_usage(arguments, message, bench):
    done = bench.run(*arguments)
    assert done.returncode == USAGE
    assert message in done.stderr
