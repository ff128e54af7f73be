# SPDX-License-Identifier: Apache-2.0
"""Our client against servers that none of us wrote: Eclipse Leshan's bootstrap server and LwM2M server, in real time over
the loopback, without security and with pre-shared keys over DTLS (Scandium). The servers are in harness/peers/leshan.

Skipped where Java, Maven or the registry are not at hand; then `ci/peers leshan` says which."""
import contextlib
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading

import pytest

from harness.pytest_bootjack import api

KEYS = {"bootstrap": ("boot", "000102030405060708090a0b0c0d0e0f"), "server": ("manage", "0f0e0d0c0b0a09080706050403020100")}


class Lines:
    """What a process prints, line by line."""

    def __init__(self, stream):
        self.lines, self.all = queue.Queue(), []
        self.reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.reader.start()

    def _read(self, stream):
        for line in stream:
            self.all.append(line.rstrip("\n"))
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def end(self):
        """Once the process has ended: what it printed is read, and nobody reads any more from what is closed now."""
        self.reader.join()

    def await_line(self, pattern, seconds=30):
        """The first line from here on that the pattern fits; what comes before it is passed over."""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                line = None
            assert line is not None, f"no line fits {pattern!r}; there were: " + "\n".join(self.all)
            if re.match(pattern, line):
                return line


class Leshan:
    def __init__(self, process, lines):
        self.process, self.lines = process, lines
        self.port, self.secure_port = self.lines.await_line(r"ready \d+ \d+", 60).split()[1:]

    def ask(self, command):
        """The code of the answer, and its text."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        words = self.lines.await_line("answer ").split(" ", 2)
        return words[1], words[2] if len(words) > 2 else ""

    def tell(self, command):
        """Without waiting for the answer, so that nothing that comes with it is passed over."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()


@pytest.fixture
def leshan():
    fetched = subprocess.run([api.ROOT / "ci/peers", "leshan"], capture_output=True, text=True, timeout=600, check=False)
    if fetched.returncode:
        pytest.skip(fetched.stdout.strip())
    folder = api.ROOT / "build/peers/leshan"
    command = ["java", "-cp", f"{folder / 'classes'}:{folder / 'lib'}/*", "Peer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        lines = Lines(process.stdout)
        try:
            yield Leshan(process, lines)
        finally:
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            lines.end()


@contextlib.contextmanager
def running(*options):
    """Our client as a program; its log is read, so that a failure shows it."""
    program = pathlib.Path(api.find_bootjack()).parent / "bootjack-client"
    command = [program, "--endpoint", "dev-1", "--holdoff", "1", "--holdoff-jitter", "1", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        log = Lines(process.stderr)
        try:
            yield process, log
        finally:
            process.kill()
            log.end()


def options_of(leshan, secure):
    if not secure:
        return ["--bootstrap", f"coap://127.0.0.1:{leshan.port}"]
    identity, key = KEYS["bootstrap"]
    return ["--bootstrap", f"coaps://127.0.0.1:{leshan.secure_port}", "--bootstrap-identity", identity.encode().hex(),
            "--bootstrap-key", key]


def bootstrapped(leshan):
    """Leshan deletes /0 and /1, writes an instance of each, and finishes. The line that tells of the registration, which
    the other server of Leshan's receives meanwhile."""
    for step in ("DeleteRequest 202", "DeleteRequest 202", "WriteRequest 204", "WriteRequest 204"):
        leshan.lines.await_line(f"bootstrap accepted Bootstrap{step}")
    said = ("bootstrap accepted BootstrapFinishRequest 204", "bootstrap finished dev-1", "registered dev-1 ")
    last = [leshan.lines.await_line("|".join(said)) for _ in said]
    assert all(any(line.startswith(start) for line in last) for start in said), last
    return next(line for line in last if line.startswith(said[-1]))


def prepare(leshan, secure, lifetime):
    if secure:
        words = [word for pair in KEYS.values() for word in pair]
        assert leshan.ask("psk dev-1 " + " ".join(words))[0] == "204"
    assert leshan.ask(f"bootstrap dev-1 {lifetime}" + (" secure" if secure else ""))[0] == "204"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("secure", [False, True], ids=["nosec", "psk"])
def test_a_life_with_leshan(leshan, secure, version):
    prepare(leshan, secure, 3600)
    with running("--lwm2m-version", version, *options_of(leshan, secure)) as (client, log):
        registered = bootstrapped(leshan)
        assert registered.startswith("registered dev-1 U 3600 ") and "</1/0>" in registered and "</3/0>" in registered
        assert "</0" not in registered
        assert leshan.ask("read dev-1 /3/0/0") == ("205", "Bootjack")
        code, device = leshan.ask("read dev-1 /3/0")
        assert code == "205" and "value=Bootjack" in device
        code, links = leshan.ask("discover dev-1 /1/0")
        assert code == "205" and "</1/0/1>" in links
        assert leshan.ask("read dev-1 /0/1/5")[0] == "401"
        assert leshan.ask("read dev-1 /3/0/99")[0] == "404"
        assert leshan.ask("write dev-1 /1/0/0 7")[0] == "405"
        # A value that is observed, and is the Lifetime, too: a notification and an Update follow the write.
        assert leshan.ask("observe dev-1 /1/0/1") == ("205", "3600")
        leshan.tell("write dev-1 /1/0/1 120")
        seen = {leshan.lines.await_line(r"answer 204|notified /1/0/1 120|updated dev-1 120").split()[0] for _ in range(3)}
        assert seen == {"answer", "notified", "updated"}
        assert leshan.ask("cancel dev-1 /1/0/1")[0] == "205"
        leshan.tell("write dev-1 /1/0/1 600")
        for _ in range(2):
            leshan.lines.await_line(r"answer 204|updated dev-1 600")
        leshan.tell("execute dev-1 /1/0/8")
        for _ in range(2):
            leshan.lines.await_line(r"answer 204|updated dev-1 600")
        assert not any(line.startswith("notified /1/0/1 600") for line in leshan.lines.all)
        if version != "1.0":
            assert leshan.ask("execute dev-1 /1/0/9")[0] == "204"
            assert bootstrapped(leshan).startswith("registered dev-1 U 3600 ")
            assert leshan.ask("read dev-1 /1/0/1") == ("205", "3600")
        client.send_signal(signal.SIGTERM)
        leshan.lines.await_line("unregistered dev-1$")
        assert client.wait(timeout=20) == os.EX_OK, log.all


def test_queue_mode_is_understood(leshan):
    prepare(leshan, False, 3600)
    with running("--queue", *options_of(leshan, False)):
        assert bootstrapped(leshan).startswith("registered dev-1 U 3600 ")
        assert leshan.ask("queue dev-1")[1] == "true"


def test_a_wrong_key_is_no_way_in(leshan):
    prepare(leshan, True, 3600)
    options = options_of(leshan, True)
    options[-1] = "ff" * 16
    with running(*options, "--ack-timeout", "1", "--max-retransmit", "1") as (_, log):
        log.await_line(r".*bootstrap: requesting -> holding off: Bootstrap-Request: no secure session", 90)
    assert not any(line.startswith("bootstrap accepted") for line in leshan.lines.all)
