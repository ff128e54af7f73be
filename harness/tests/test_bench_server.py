# SPDX-License-Identifier: Apache-2.0
"""`bootjack bench-server`, in real time over the loopback: against our own fake Bootstrap-Server, against one of a few lines that
makes each mistake, and against Eclipse Leshan's."""
import contextlib
import ctypes
import json
import re
import socket
import subprocess
import threading

import pytest

from harness.pytest_bootjack import api
from harness.servers import coap, dtls, misfits
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

    def say(self, m, peer):
        self.socket.sendto(coap.encode(m), peer)

    def hear(self):
        data, peer = self.socket.recvfrom(2000)
        return [coap.decode(data)], peer

    def ask(self, peer, code, *path):
        self.mid += 1
        self.say(coap.Message(coap.CON, code, self.mid, b"s", [(coap.PATH, part) for part in path]), peer)

    def requested(self, m, peer):
        endpoint = dict(m.options)[coap.QUERY]
        known = endpoint in self.told
        self.told.add(endpoint)
        code = 0x80 if known and self.fault == "forgets" else 0x44
        self.say(coap.Message(coap.ACK, code, m.mid, m.token), peer)
        if code == 0x44 and (not known or self.fault == "twice" or b"plain" in endpoint or peer not in self.peers):
            self.ask(peer, coap.GET)
        self.peers.add(peer)

    def run(self):
        self.peers = set()
        with contextlib.suppress(OSError):
            while True:
                messages, peer = self.hear()
                for m in messages:
                    if m.is_request:
                        self.requested(m, peer)
                    elif m.code == 0x45:
                        self.ask(peer, coap.DELETE, b"1")
                    elif m.code == 0x42 and self.fault != "never finishes":
                        self.ask(peer, coap.POST, b"bs")


KEYS = {b"known": bytes(range(16)), b"other": bytes(16)}


class Prestate(ctypes.Structure):
    _fields_ = [("record", ctypes.c_uint), ("read", ctypes.c_uint), ("write", ctypes.c_uint)]


class ServerEnd(dtls.Endpoint):
    """The server's end of a session; clients have the keys above. GnuTLS wants a cookie first (RFC 6347 section 4.2.1)."""

    role = 1
    Find = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(dtls.Datum), ctypes.POINTER(dtls.Datum))

    def __init__(self, send):
        self.find, self.secret, self.state = self.Find(self.find_key), dtls.Datum(bytes(16), 16), None
        super().__init__(b"", b"", send)

    def feed(self, datagram=None):
        if not self.state:
            state, byref = Prestate(), ctypes.byref
            if self.gnutls.gnutls_dtls_cookie_verify(byref(self.secret), b"you", 3, datagram, len(datagram), byref(state)) < 0:
                self.gnutls.gnutls_dtls_cookie_send(byref(self.secret), b"you", 3, byref(state), None, self.calls[0])
                return []
            self.gnutls.gnutls_dtls_prestate_set(self.session, byref(state))
            self.state = state
        return super().feed(datagram)

    def find_key(self, _, name, key):
        found = KEYS.get(name[0].data[:name[0].size])
        if not found:
            return -1
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        room = libc.malloc(len(found))  # GnuTLS frees it
        ctypes.memmove(room, found, len(found))
        ctypes.cast(key, ctypes.POINTER(ctypes.c_void_p))[0] = room
        key[0].size = len(found)
        return 0

    def take_key(self, identity, key):
        self.check(self.gnutls.gnutls_psk_allocate_server_credentials(ctypes.byref(self.credentials)))
        self.gnutls.gnutls_psk_set_server_credentials_function2(self.credentials, self.find)

    def free_key(self):
        self.gnutls.gnutls_psk_free_server_credentials(self.credentials)


class SecureCareless(Careless):
    """The same behind DTLS."""

    def __init__(self, fault=""):
        self.ends = {}
        super().__init__(fault)

    def say(self, m, peer):
        self.ends[peer].send(coap.encode(m))

    def hear(self):
        data, peer = self.socket.recvfrom(2000)
        if peer not in self.ends:
            self.ends[peer] = ServerEnd(lambda datagram: self.socket.sendto(datagram, peer))
        try:
            return [coap.decode(message) for message in self.ends[peer].feed(data)], peer
        except dtls.Failed:
            return [], peer


def misbehaving(kinds, fault="", *options, kind=Careless):
    server = kind(fault)
    scheme = "coaps" if kind is SecureCareless else "coap"
    done = bench(f"{scheme}://127.0.0.1:{server.port}", "--clients", "0", "--misbehave", kinds, "--seconds", "1", *options)
    server.socket.close()
    return done


PSK = ["--identity", b"known".hex(), "--key", KEYS[b"known"].hex()]


@pytest.mark.parametrize("kind, options", [(Careless, []), (SecureCareless, PSK)], ids=["coap", "coaps"])
def test_a_server_that_makes_no_mistake(kind, options):
    done = misbehaving("all", "", *options, kind=kind)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong:" not in done.stdout
    assert "plain (does as it is told): Bootstrap-Request answered with 2.04; 3 commands; Finish" in done.stdout
    for kind, story in (("discover-unanswered", "1 commands; no Finish"), ("write-unanswered", "2 commands; no Finish"),
                        ("not-found", "1 commands; no Finish"), ("silence", "1 commands; no Finish")):
        assert re.search(rf"^{kind} .*2\.04; {story}; bootstrapped afterwards$", done.stdout, re.M), done.stdout
    assert re.search(r"^duplicate-request .*answered with 2\.04, 2\.04; 3 commands; Finish; bootstrapped afterwards$", done.stdout, re.M), done.stdout


def test_mistakes_behind_dtls_are_told():
    done = misbehaving("silence", "forgets", *PSK, kind=SecureCareless)
    assert done.returncode == 1 and "  wrong: afterwards this client is not bootstrapped any more\n" in done.stdout, done.stdout + done.stderr


def test_a_handshake_that_fails_is_told():
    server = SecureCareless()
    done = bench(f"coaps://127.0.0.1:{server.port}", "--clients", "0", "--misbehave", "plain", "--seconds", "2",
                 "--identity", b"other".hex(), "--key", KEYS[b"known"].hex())
    assert done.returncode == 2 and "wrong: no DTLS session: " in done.stdout, done.stdout + done.stderr
    assert "nobody answers at coaps://" in done.stderr
    done = bench(f"coaps://127.0.0.1:{server.port}", "--clients", "1", "--seconds", "1")
    assert "misbehaviour: skipped: it is played over coaps with --identity and --key\n" in done.stdout
    server.socket.close()


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


SECURE = """title: A session behind DTLS
client: {bootstrap: {uri: "coaps://bs.example", security: psk, identity: !text known, key: 000102030405060708090a0b0c0d0e0f}}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 2.04
  - delete: /1
    expect: 2.02
  - finish: {expect: 2.04}
"""


def test_our_own_fake_server_behind_dtls(tmp_path):
    """Its DTLS is mbedTLS, that of who misbehaves is GnuTLS."""
    (tmp_path / "secure.yaml").write_text(SECURE)
    command = [api.find_bootjack(), "serve", tmp_path / "secure.yaml", "--listen", "127.0.0.1:0", "--limit", "60"]
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = None
        while not port:
            port = re.search(r"bs\b.*127\.0\.0\.1:(\d+)", server.stderr.readline())
        done = bench(f"coaps://127.0.0.1:{port[1]}", "--clients", "0", "--misbehave", "plain", "--seconds", "10", *PSK)
        server.kill()
    assert "plain (does as it is told): Bootstrap-Request answered with 2.04; 2 commands; Finish\n" in done.stdout, done.stdout + done.stderr


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
    (["coap://a", "--identity", "00"], "--identity and --key go together"),
    (["coaps://a", "--identity", "me", "--key", "00"], "pairs of hexadecimal digits are wanted, not 'me'")])
def test_wrong_usage(arguments, told):
    done = bench(*arguments)
    assert done.returncode == 64 and told in done.stderr, done.stderr


def test_nobody_there():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        done = bench(f"coap://127.0.0.1:{taken.getsockname()[1]}", "--clients", "1", "--misbehave", "plain", "--seconds", "1")
    assert done.returncode == 2 and "nobody answers at coap://127.0.0.1:" in done.stderr
