# SPDX-License-Identifier: Apache-2.0
"""Our client against DTLS and TLS servers that none of us wrote, over loopback, in real time: Debian's coap-server on
GnuTLS and on OpenSSL, gnutls-serv, openssl s_server. Handshakes that must succeed and that must fail, what a server
that is no Bootstrap-Server answers, and whole bootstraps whose records are OpenSSL's."""
import pathlib
import struct
import sys

import pytest

from harness.pytest_bootjack import api

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from foreign_servers import Program, Server, Terminal  # noqa: E402  (beside this file, which is no package)

PROGRAMS = api.ROOT / "harness" / "tests" / "programs"
PKI = api.ROOT / "scenarios" / "security" / "pki"  # valid until 2123, but for what is named expired
IDENTITY, KEY = "device", b"0123456789abcdef"
OTHER_IDENTITY, OTHER_KEY = "device@mgmt", b"fedcba9876543210"
SETTINGS = 0xE1  # Capabilities and Settings, RFC 8323 section 5.3
SCHEMES = {"dtls": "coaps", "tls": "coaps+tcp"}
SUITE = {"dtls": "NORMAL", "tls": "NORMAL:-VERS-ALL:+VERS-TLS1.2"}


# --- programs -----------------------------------------------------------------------------------

class Client(Program):
    """bootjack-client, which wants to be bootstrapped after a second, and again a second after a failure."""

    def __init__(self, scheme, port, identity=IDENTITY, key=KEY, credentials=None):
        super().__init__([api.find_bootjack().parent / "bootjack-client", "--bootstrap", f"{scheme}://127.0.0.1:{port}",
                          *(credentials or ["--bootstrap-identity", identity.encode().hex(), "--bootstrap-key",
                                            key.hex()]),
                          "--holdoff", 1, "--holdoff-cap", 1, "--log-level", "debug"])


def coap_server(flavour, transport, credentials):
    """It listens for DTLS and TLS on the port after its own."""
    def command(port):
        return [f"coap-server-{flavour}", "-A", "127.0.0.1", "-p", port, "-v", 7, *credentials]

    return Server(command, transport == "tls", neighbours=2)


def gnutls_serv(transport, keys, suites="-KX-ALL:+PSK:+AES-128-CCM-8"):
    def command(port):
        return ["stdbuf", "-oL", "gnutls-serv", *(["--udp"] if transport == "dtls" else []), "--echo", "-p", port,
                "--pskpasswd", keys, "--priority", f"{SUITE[transport]}:{suites}"]

    return Server(command, transport == "tls")


def s_server(transport, identity=IDENTITY, key=KEY, suites="PSK-AES128-CCM8"):
    def command(port):
        return ["openssl", "s_server", f"-{transport}1_2", "-accept", f"127.0.0.1:{port}", "-quiet", "-nocert",
                "-psk_identity", identity, "-psk", key.hex(), "-cipher", f"{suites}:@SECLEVEL=0"]

    return Terminal(command, transport == "tls")


@pytest.fixture
def running():
    """What is appended is ended with the test."""
    programs = []
    yield programs.append
    for program in reversed(programs):
        program.end()


@pytest.fixture
def start(running, tmp_path):
    """A server by its name: with the credentials of the account, or such that the handshake must fail."""
    def keep(server):
        running(server)
        return server

    def make(name, transport, case="fitting"):
        program, _, flavour = name.partition("/")
        if program == "coap-server":
            certificate = ["-c", PROGRAMS / "device.pem", "-j", PROGRAMS / "device-key.pem"]
            return keep(coap_server(flavour, transport,
                                    certificate if case == "no common suite" else ["-k", KEY.decode()]))
        if program == "gnutls-serv":
            keys = tmp_path / "keys"
            keys.write_text(f"{'stranger' if case == 'unknown identity' else IDENTITY}:{KEY.hex()}\n")
            return keep(gnutls_serv(transport, keys, "-KX-ALL:+PSK:-CIPHER-ALL:+3DES-CBC") if case == "no common suite"
                        else gnutls_serv(transport, keys))
        return keep(s_server(transport, suites="PSK-NULL-SHA256" if case == "no common suite" else "PSK-AES128-CCM8"))

    return make


SERVERS = ["coap-server/gnutls", "coap-server/openssl", "gnutls-serv", "s_server"]


# --- handshakes ---------------------------------------------------------------------------------

@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("flavour", ["gnutls", "openssl"])
def test_a_server_that_knows_no_bootstrap(flavour, transport, start, running):
    """The handshake succeeds, /bs is not found: that attempt has failed, and another follows."""
    server = start(f"coap-server/{flavour}", transport)
    client = Client(SCHEMES[transport], server.port)
    running(client)
    client.wait("Bootstrap-Request answered with 4.04", times=2)
    assert server.says("Uri-Query:ep=dev-1")
    assert not client.says("no secure session")


def test_a_server_that_says_what_it_hears(start, running):
    """The client's own POST /bs comes back as a Bootstrap-Finish, whose answer comes back as that to the request."""
    server = start("gnutls-serv", "dtls")
    client = Client("coaps", server.port)
    running(client)
    client.wait("Bootstrap-Request answered with 4.0", times=2)
    assert server.says("ep=dev-1")
    assert client.says("configuration rolled back")
    assert not client.says("registration")


def test_a_server_that_never_says_its_settings(start, running):
    """RFC 8323 section 5.3: nothing is asked before they came; the attempt ends with the time for a request."""
    server = start("gnutls-serv", "tls")
    client = Client("coaps+tcp", server.port)
    running(client)
    client.wait("Bootstrap-Request: no answer")
    client.wait("Bootstrap-Request to", times=2)
    assert not server.says("ep=dev-1")


def refused(server, transport, running, key=KEY):
    """That attempt has failed, and another follows; nothing was said to the server."""
    client = Client(SCHEMES[transport], server.port, key=key)
    running(client)
    client.wait("failures before: 1")  # a server may break off, or fall silent
    client.wait("Bootstrap-Request to", times=2)
    assert not server.says("ep=dev-1")


@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("name", SERVERS)
def test_a_wrong_key(name, transport, start, running):
    """DTLS lets a wrong Finished message fall; the client gives up when its flights have gone unanswered."""
    refused(start(name, transport), transport, running, KEY[::-1])


@pytest.mark.parametrize("transport", SCHEMES)
def test_an_unknown_identity(transport, start, running):
    """Of these programs, only gnutls-serv looks at the identity."""
    refused(start("gnutls-serv", transport, "unknown identity"), transport, running)


@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("name", SERVERS)
def test_no_common_suite(name, transport, start, running):
    refused(start(name, transport, "no common suite"), transport, running)


# --- certificates -------------------------------------------------------------------------------

def certificate_server(name, transport, shown, client_ca):
    """It shows a certificate with the one that leads to the root, and wants one of the client that leads to a CA."""
    certificate, key, ca = PKI / f"{shown}.pem", PKI / f"{shown}.key", PKI / f"{client_ca}.pem"

    def gnutls(port):
        return ["stdbuf", "-oL", "gnutls-serv", *(["--udp"] if transport == "dtls" else []), "--echo", "-p", port,
                "--priority", SUITE[transport], "--x509certfile", PKI / f"{shown}.chain.pem", "--x509keyfile", key,
                "--x509cafile", ca, "--require-client-cert", "--verify-client-cert"]

    def openssl(port):
        return ["openssl", "s_server", f"-{transport}1_2", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key",
                key, "-cert_chain", PKI / "middle.pem", "-CAfile", ca, "-Verify", 1, "-verify_return_error"]

    return Server(gnutls, transport == "tls") if name == "gnutls-serv" else Terminal(openssl, transport == "tls")


@pytest.fixture
def meet(running):
    """A server that shows a certificate, and our client, which judges it by what stands in the account."""
    def make(name, transport, usage, account, shown="mgmt", client_ca="root"):
        server = certificate_server(name, transport, shown, client_ca)
        running(server)
        client = Client(SCHEMES[transport], server.port, credentials=[
            "--bootstrap-certificate", f"@{PKI / 'device.pem'}", "--bootstrap-private-key", f"@{PKI / 'device.key'}",
            "--bootstrap-peer-certificate", f"@{PKI / account}.pem", "--bootstrap-certificate-usage", usage,
            "--bootstrap-sni", "mgmt.example", "--holdoff-jitter", 1])
        running(client)
        return server, client

    return make


CERTIFICATE_SERVERS = ["gnutls-serv", "s_server"]
TAKEN = {"gnutls-serv": "The certificate is trusted", "s_server": "depth=0 CN = dev-1\nverify return:1"}
NOT_TAKEN = {"gnutls-serv": "The certificate is NOT trusted", "s_server": "verify error:num=20"}


@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("name", CERTIFICATE_SERVERS)
@pytest.mark.parametrize("usage, account", [(3, "mgmt"), (2, "root")])
def test_the_right_certificate(usage, account, name, transport, meet):
    """Both ends show theirs; the Bootstrap-Request reaches the server, but over TLS, where it waits for settings that
    these programs never send (RFC 8323 section 5.3): there the server has the client's own."""
    server, client = meet(name, transport, usage, account)
    server.wait(TAKEN[name])
    client.wait(": secure session, cipher suite")
    if transport == "dtls":
        server.wait("ep=dev-1")
    assert not client.says("server refused")


@pytest.mark.parametrize("usage, account", [(3, "mgmt"), (2, "root")])
def test_the_right_certificate_and_the_request_over_tls(usage, account, meet):
    """Once the server has said its settings, the request reaches it."""
    server, client = meet("s_server", "tls", usage, account)
    server.wait(TAKEN["s_server"])
    client.wait(": secure session, cipher suite")
    assert not server.says("ep=dev-1")
    server.say(bytes([0, SETTINGS]))
    server.wait("ep=dev-1")


WRONG = {"another name": (2, "root", "bs", "is for another name", 42),
         "an unknown CA": (2, "other-root", "mgmt", "leads to no CA that is trusted", 48),
         "expired": (2, "root", "expired", "has expired", 45),
         "not the one": (3, "mgmt-2", "mgmt", "is not the one of the account", 42)}


@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("name", CERTIFICATE_SERVERS)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_certificate(case, name, transport, meet):
    """The client says why and ends it, by an alert of which OpenSSL tells the number; nothing is asked."""
    usage, account, shown, why, alert = WRONG[case]
    server, client = meet(name, transport, usage, account, shown)
    client.wait(f"server refused: its certificate {why}")
    client.wait("Bootstrap-Request: no secure session")
    server.wait(f"SSL alert number {alert}" if name == "s_server" else "Error")
    assert not client.says(": secure session, cipher suite")
    assert not server.says("ep=dev-1")


@pytest.mark.parametrize("transport", SCHEMES)
@pytest.mark.parametrize("name", CERTIFICATE_SERVERS)
def test_a_client_whose_certificate_is_not_taken(name, transport, meet):
    """It shows the only one it has, whatever CAs the server names. Over DTLS gnutls-serv 3.7.9 crashes then: what it
    leaves behind may hide its alert."""
    server, client = meet(name, transport, 3, "mgmt", client_ca="other-root")
    server.wait(NOT_TAKEN[name])
    if (name, transport) != ("gnutls-serv", "dtls"):
        client.wait("the server sent alert")
    client.wait("Bootstrap-Request: no secure session")
    assert not server.says("ep=dev-1")


# --- whole bootstraps through openssl s_server --------------------------------------------------

POST, PUT, DELETE, CREATED, DELETED, CHANGED = 2, 3, 4, 0x41, 0x42, 0x44
URI_PATH, LOCATION_PATH, CONTENT_FORMAT, TLV = 11, 8, 12, struct.pack(">H", 11542)


def options_of(options):
    """Numbers in ascending order, values under 13 bytes."""
    encoded, before = b"", 0
    for number, value in options:
        encoded += bytes([(number - before) << 4 | len(value)]) + value
        before = number
    return encoded


def resource(number, value):
    """A resource in TLV, LwM2M Core 1.1 section 7.4.3."""
    size = len(value)
    return bytes([0xC0 | (size if size < 8 else 8), number]) + (b"" if size < 8 else bytes([size])) + value


class Script:
    """What a server says over one session, a message at a time; CoAP over UDP or (RFC 8323) over TCP."""

    def __init__(self, terminal, transport):
        self.terminal, self.stream, self.mid = terminal, transport == "tls", 0x100

    def frame(self, data):
        """How long the message is with which `data` begins; 0: more must come. A datagram comes as a whole."""
        if not self.stream:
            return len(data)
        if len(data) < 2:
            return 0
        nibble = data[0] >> 4
        size = 1 if nibble < 13 else 2
        assert nibble < 14, data
        total = size + 1 + (data[0] & 15) + (nibble if nibble < 13 else 13 + data[1])
        return total if total <= len(data) else 0

    def hear(self):
        """The next message: its code and all its bytes. Settings (RFC 8323 section 5.3) are answered with settings."""
        while True:
            data = self.terminal.hear(self.frame)
            code = data[1 if not self.stream or data[0] >> 4 < 13 else 2]
            if code != SETTINGS:
                return code, data
            self.terminal.say(bytes([0, SETTINGS]))

    def say(self, kind, code, token, mid, options, payload=b""):
        body = options_of(options) + (b"\xff" + payload if payload else b"")
        if self.stream:
            size = len(body)
            head = bytes([size << 4 | len(token)]) if size < 13 else bytes([0xD0 | len(token), size - 13])
            self.terminal.say(head + bytes([code]) + token + body)
        else:
            self.terminal.say(bytes([0x40 | kind << 4 | len(token), code]) + struct.pack(">H", mid) + token + body)

    def answer(self, request, code, options=()):
        head = 1 if not self.stream or request[0] >> 4 < 13 else 2
        at = head + (3 if not self.stream else 1)
        self.say(2, code, request[at:at + (request[0] & 15)], int.from_bytes(request[2:4], "big"), options)

    def ask(self, code, options, payload=b""):
        """An operation; the code of its answer."""
        self.mid += 1
        self.say(0, code, struct.pack(">I", 0xB0000000 + self.mid), self.mid, options, payload)
        return self.hear()[0]


def write(script, object_id, instance, resources):
    path = [(URI_PATH, str(part).encode()) for part in (object_id, instance)]
    payload = b"".join(resource(number, value) for number, value in resources.items())
    return script.ask(PUT, [*path, (CONTENT_FORMAT, TLV)], payload)


@pytest.mark.parametrize("transport", SCHEMES)
def test_a_whole_bootstrap_and_registration(transport, running):
    """Bootstrapped under one key, registered under another, de-registered when it is told to stop."""
    terminals = [s_server(transport), s_server(transport, OTHER_IDENTITY, OTHER_KEY)]
    for terminal in terminals:
        running(terminal)
    client = Client(SCHEMES[transport], terminals[0].port)
    running(client)
    bs, mgmt = (Script(terminal, transport) for terminal in terminals)
    code, request = bs.hear()
    assert code == POST and b"\xb2bs" in request and b"ep=dev-1" in request
    bs.answer(request, CHANGED)
    client.wait("Bootstrap-Request answered with 2.04")  # s_server puts all that it can read in one record
    uri = f"{SCHEMES[transport]}://127.0.0.1:{terminals[1].port}".encode()
    assert write(bs, 0, 1, {0: uri, 1: b"\0", 2: b"\0", 3: OTHER_IDENTITY.encode(), 4: b"", 5: OTHER_KEY,
                            10: b"\x65"}) == CHANGED
    assert write(bs, 1, 0, {0: b"\x65", 1: b"\x01\x2c", 6: b"\0", 7: b"T" if bs.stream else b"U"}) == CHANGED
    assert bs.ask(POST, [(URI_PATH, b"bs")]) == CHANGED
    code, request = mgmt.hear()
    assert code == POST and b"\xb2rd" in request and b"ep=dev-1" in request and b"lt=300" in request
    mgmt.answer(request, CREATED, [(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"1")])
    client.wait("registered")
    client.process.terminate()
    code, request = mgmt.hear()
    assert code == DELETE and b"\xb2rd\x011" in request
    mgmt.answer(request, DELETED)
    assert client.process.wait(60) == 0
