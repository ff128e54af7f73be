# SPDX-License-Identifier: Apache-2.0
"""DTLS over real sockets, with openssl's s_client: of which clients have ways that those in virtual time have not."""
import contextlib
import select
import socket
import threading
import json
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from harness.pytest_bootjack import api

PROGRAMS = pathlib.Path(__file__).parent / "programs"
GET_HELLO = b"\x41\x01\x12\x34\x55\xb5hello"
KEY = "30313233343536373839616263646566"
CHANGE_CIPHER_SPEC, HANDSHAKE, CLIENT_HELLO = 20, 22, 1


@pytest.fixture(autouse=True)
def openssl() -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl, whose s_client is the peer here, is not installed (ci/setup)")


class Serving:
    """`bootjack serve` in the background."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        self.process = process
        said = process.stderr.readline()
        found = re.search(r":(\d+)\n", said)
        assert found, said
        self.port = int(found[1])

    def s_client(self, *options: str, said: bytes = GET_HELLO) -> "subprocess.Popen[bytes]":
        command = ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.port}", "-quiet", *options]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert client.stdin
        client.stdin.write(said)
        client.stdin.flush()
        return client

    def result(self) -> dict[str, object]:
        said, errors = self.process.communicate(timeout=60)
        assert said, errors
        result = json.loads(said)
        assert isinstance(result, dict)
        return result


@contextlib.contextmanager
def serving(scenario: pathlib.Path, *options: str) -> Iterator[Serving]:
    command = [str(api.find_bootjack()), "serve", str(scenario), "--listen", "127.0.0.1:0", "--limit", "30", "--json", "-v", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Serving(process)
        finally:
            process.kill()


def events(result: dict[str, object], kind: str) -> list[dict[str, object]]:
    found = result["events"]
    assert isinstance(found, list)
    return [event for event in found if event["kind"] == kind]


def raw(result: dict[str, object], kind: str) -> list[bytes]:
    return [bytes.fromhex(str(event["raw"])) for event in events(result, kind)]


class Translator(threading.Thread):
    """A network address translator between a client and a server: it forgets the client's port as soon as the handshake is over."""

    def __init__(self, server: int) -> None:
        super().__init__(daemon=True)
        self.inside, self.before, self.after = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
        self.inside.bind(("127.0.0.1", 0))
        self.port = self.inside.getsockname()[1]
        for outside in (self.before, self.after):
            outside.connect(("127.0.0.1", server))
        self.forgotten = threading.Event()
        self.over = False
        self.start()

    def run(self) -> None:
        client = None
        while not self.over:
            for ready in select.select([self.inside, self.before], [], [], 0.1)[0]:
                data, peer = ready.recvfrom(65536)
                if ready is self.inside:
                    client = peer
                    (self.after if self.forgotten.is_set() else self.before).send(data)
                elif client:
                    self.inside.sendto(data, client)
                    if data[0] == CHANGE_CIPHER_SPEC:
                        self.forgotten.set()

    def close(self) -> None:
        self.over = True
        self.join()
        for end in (self.inside, self.before, self.after):
            end.close()


def test_a_client_that_comes_from_another_port(tmp_path: pathlib.Path) -> None:
    """Without a connection ID (RFC 9146) nobody can know it: it is not said to have sent nothing."""
    scenario = tmp_path / "soon.yaml"
    scenario.write_text((PROGRAMS / "dtls-serve.yaml").read_text().replace("/hello}", "/hello, within: 2s}"))
    with serving(scenario) as server:
        translator = Translator(server.port)
        there, server.port = server.port, translator.port
        client = server.s_client("-psk", KEY, "-psk_identity", "device", said=b"")
        assert translator.forgotten.wait(20)
        after = translator.after.getsockname()[1]
        assert client.stdin
        client.stdin.write(GET_HELLO)
        client.stdin.flush()
        said, errors = server.process.communicate(timeout=60)
        client.kill()
        client.wait()
        translator.close()
    result = json.loads(said)
    assert result["script_verdict"] == "fail", result
    assert f"nothing but records under DTLS for which there is no session, the latest from 127.0.0.1:{after}" in result["reason"]
    assert f"a record under DTLS from 127.0.0.1:{after} is dropped: bs has no session with that address" in errors
    assert there and errors.count("is dropped") == 1


def test_a_hello_in_fragments(tmp_path: pathlib.Path) -> None:
    """RFC 6347 section 4.2.3: a client whose datagrams are small may send its ClientHello so, and mbedTLS does not take it."""
    scenario = tmp_path / "named.yaml"
    name = ".".join(letter * 60 for letter in "abc")
    text = (PROGRAMS / "dtls-serve.yaml").read_text()
    scenario.write_text(text.replace("steps:\n", f"steps:\n  - handshake: {{to: bs, sni: {name}}}\n"))
    with serving(scenario) as server:
        client = server.s_client("-psk", KEY, "-psk_identity", "device", "-mtu", "256", "-servername", name)
        result = server.result()
        client.kill()
        client.wait()
    assert result["script_verdict"] == "pass", result
    pieces = [datagram for datagram in raw(result, "received") if datagram[0] == HANDSHAKE and datagram[13] == CLIENT_HELLO]
    assert len(pieces) > 2
    assert any("handshake begins, name" in str(event["text"]) for event in events(result, "tls-state"))
