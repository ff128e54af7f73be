# SPDX-License-Identifier: Apache-2.0
"""`bootjack bench-server`, in real time over the loopback: against our own fake Bootstrap-Server, against one of a few lines that
makes each mistake, and against Eclipse Leshan's."""
import contextlib
import json
import re
import socket
import subprocess
import threading

import pytest

from harness.pytest_bootjack import api
from harness.servers import coap, misfits
from harness.tests.test_leshan import leshan  # noqa: F401  (a fixture)


def bench(*arguments, timeout=300):
    return api.call("bench-server", *arguments, timeout=timeout)


# --- messages ---

@pytest.mark.parametrize("text", ["40017d34", "42021234aabbb2627348" + "65703d646576314d", "60457d34ff2e", "4101000101d10100"])
def test_messages_there_and_back(text):
    data = bytes.fromhex(text)
    assert coap.encode(coap.decode(data)) == data


def test_long_options_there_and_back():
    m = coap.Message(coap.CON, coap.PUT, 7, b"t", [(coap.PATH, b"x" * 12), (coap.PATH, b"y" * 13), (2000, b"z" * 300)], b"payload")
    assert coap.decode(coap.encode(m)) == m and m.path == "/" + "x" * 12 + "/" + "y" * 13


@pytest.mark.parametrize("text", ["", "400102", "80017d34", "49017d34", "44017d34aabb", "40017d34d1", "40017d34ff", "40017d34f1", "40017d3412aa"])
def test_what_is_no_message(text):
    with pytest.raises(coap.Malformed):
        coap.decode(bytes.fromhex(text))


def test_repetitions_are_judged():
    def wrong(*times):
        return misfits.Command("PUT /1/0", 1, True, list(times)).why_not()

    assert wrong(0) == wrong(0, 2.0, 6.0, 14.0, 30.0) == wrong(0, 2.9, 8.7) == ""
    assert "after 1.0 s, where 2 s to 3 s are due" in wrong(0, 1.0)
    assert "after 3.0 s, where 6.0 s are due" in wrong(0, 3.0, 6.0)
    assert "6 times" in wrong(0, 2, 6, 14, 30, 62)


# --- servers ---

class Careless(threading.Thread):
    """A Bootstrap-Server that answers at once, writes once, and never repeats; each fault makes it worse in its way."""

    def __init__(self, fault=""):
        super().__init__(daemon=True)
        self.fault, self.socket, self.mid, self.told = fault, socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 100, set()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def ask(self, peer, code, *path):
        self.mid += 1
        self.socket.sendto(coap.encode(coap.Message(coap.CON, code, self.mid, b"s", [(coap.PATH, part) for part in path])), peer)

    def requested(self, m, peer):
        endpoint = dict(m.options)[coap.QUERY]
        known = endpoint in self.told
        self.told.add(endpoint)
        code = 0x80 if known and self.fault == "forgets" else 0x44
        self.socket.sendto(coap.encode(coap.Message(coap.ACK, code, m.mid, m.token)), peer)
        if code == 0x44 and (not known or self.fault == "twice" or b"plain" in endpoint or peer not in self.peers):
            self.ask(peer, coap.GET)
        self.peers.add(peer)

    def run(self):
        self.peers = set()
        with contextlib.suppress(OSError):
            while True:
                data, peer = self.socket.recvfrom(2000)
                m = coap.decode(data)
                if m.is_request:
                    self.requested(m, peer)
                elif m.code == 0x45:
                    self.ask(peer, coap.DELETE, b"1")
                elif m.code == 0x42 and self.fault != "never finishes":
                    self.ask(peer, coap.POST, b"bs")


def misbehaving(kinds, fault="", *options):
    server = Careless(fault)
    done = bench(f"coap://127.0.0.1:{server.port}", "--clients", "0", "--misbehave", kinds, "--seconds", "1", *options)
    server.socket.close()
    return done


def test_a_server_that_makes_no_mistake():
    done = misbehaving("all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong:" not in done.stdout
    assert "plain (does as it is told): Bootstrap-Request answered with 2.04; 3 commands; Finish" in done.stdout
    for kind, story in (("discover-unanswered", "1 commands; no Finish"), ("write-unanswered", "2 commands; no Finish"),
                        ("not-found", "1 commands; no Finish"), ("silence", "1 commands; no Finish")):
        assert re.search(rf"^{kind} .*2\.04; {story}; bootstrapped afterwards$", done.stdout, re.M), done.stdout
    assert re.search(r"^duplicate-request .*answered with 2\.04, 2\.04; 3 commands; Finish; bootstrapped afterwards$", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("fault, kind, text", [
    ("forgets", "silence", "afterwards this client is not bootstrapped any more"),
    ("forgets", "duplicate-request", "the repeated Bootstrap-Request is answered otherwise: 2.04 then 4.00"),
    ("twice", "duplicate-request", "the repeated Bootstrap-Request begins a second session"),
    ("never finishes", "plain", "a session in which everything is answered has no Bootstrap-Finish")])
def test_what_is_wrong_is_told(fault, kind, text, tmp_path):
    done = misbehaving(kind, fault, "--json", tmp_path / "seen.json")
    assert done.returncode == 1 and f"  wrong: {text}\n" in done.stdout, done.stdout + done.stderr
    session = json.loads((tmp_path / "seen.json").read_text())["sessions"][0]
    assert session["kind"] == kind and text in session["problems"]


def test_our_own_fake_server():
    scenario = api.ROOT / "scenarios/interop/good.yaml"
    command = [api.find_bootjack(), "serve", scenario, "--listen", "127.0.0.1:0", "--limit", "60"]
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = None
        while not port:
            port = re.search(r"bs\b.*127\.0\.0\.1:(\d+)", server.stderr.readline())
        done = bench(f"coap://127.0.0.1:{port[1]}", "--clients", "1", "--endpoint", "dev", "--misbehave", "none", "--seconds", "30")
        server.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("clients: 1 of 1 bootstrapped and registered, after ")


def test_leshans_bootstrap_server(leshan):  # noqa: F811
    for name in [f"bench-{number}" for number in range(1, 6)] + [f"bench-{kind}" for kind in misfits.KINDS]:
        assert leshan.ask(f"bootstrap {name} 3600")[0] == "204"
    done = bench(f"coap://127.0.0.1:{leshan.port}", "--clients", "5", "--seconds", "15", timeout=600)
    assert "clients: 5 of 5 bootstrapped and registered" in done.stdout, done.stdout + done.stderr
    assert "plain (does as it is told): Bootstrap-Request answered with 2.04; 5 commands; Finish" in done.stdout
    for kind in misfits.KINDS:
        assert kind == "plain" or re.search(rf"^{kind} .*bootstrapped afterwards$", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("arguments, told", [
    ([], "the following arguments are required: URI"), (["http://a"], "is no URI of a Bootstrap-Server"),
    (["coap://a:70000"], "is no URI of a Bootstrap-Server"),
    (["coap://a", "--clients", "many"], "a whole number from 0 to 500 is wanted, not 'many'"),
    (["coap://a", "--misbehave", "badly"], "'badly' is none of plain, discover-unanswered"),
    (["coap://a", "--identity", "00"], "--identity and --key go together")])
def test_wrong_usage(arguments, told):
    done = bench(*arguments)
    assert done.returncode == 64 and told in done.stderr, done.stderr


def test_nobody_there():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        done = bench(f"coap://127.0.0.1:{taken.getsockname()[1]}", "--clients", "1", "--misbehave", "plain", "--seconds", "1")
    assert done.returncode == 2 and "nobody answers at coap://127.0.0.1:" in done.stderr
