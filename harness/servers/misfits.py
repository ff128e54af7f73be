# SPDX-License-Identifier: Apache-2.0
"""Clients that misbehave in named ways towards a Bootstrap-Server, one session each, and what the server did meanwhile."""
from __future__ import annotations

import dataclasses
import random
import select
import socket
import time

from . import coap, dtls

# What each does; in the order in which they are tried.
KINDS = {
    "plain": "does as it is told",
    "discover-unanswered": "leaves Discover and Read without any answer",
    "write-unanswered": "leaves the first Write or Delete without any answer",
    "not-found": "answers every command with 4.04",
    "duplicate-request": "sends its Bootstrap-Request twice, under the same Message ID",
    "silence": "asks, and is never heard of again",
}
DISCOVERED = b'lwm2m="1.1",</0/0>,</1>,</3/0>'
ACK_TIMEOUT, RANDOM_FACTOR, SLACK = 2.0, 1.5, 0.25  # RFC 7252 section 4.8; what a busy machine adds


@dataclasses.dataclass
class Command:
    """A request of the server, and when it came, with its repetitions."""

    name: str
    mid: int
    confirmable: bool
    times: list

    def why_not(self):
        """What is wrong with its repetitions (RFC 7252 section 4.2); empty if nothing is."""
        waits = [later - earlier for earlier, later in zip(self.times, self.times[1:])]
        if waits and not ACK_TIMEOUT - SLACK <= waits[0] <= ACK_TIMEOUT * RANDOM_FACTOR + SLACK:
            return f"{self.name} is repeated after {waits[0]:.1f} s, where 2 s to 3 s are due"
        for earlier, later in zip(waits, waits[1:]):
            if abs(later - 2 * earlier) > SLACK + 0.1 * later:
                return f"{self.name} is repeated after {later:.1f} s, where {2 * earlier:.1f} s are due"
        return f"{self.name} is sent {len(self.times)} times, where 5 are the most" if len(self.times) > 5 else ""


@dataclasses.dataclass
class Seen:
    kind: str
    answers: list = dataclasses.field(default_factory=list)  # to the Bootstrap-Request: "2.04"
    commands: list = dataclasses.field(default_factory=list)
    finished: bool = False  # a Bootstrap-Finish came
    malformed: int = 0
    again: bool | None = None  # a plain session of the same endpoint afterwards was finished
    handshake: str = ""  # why there was none, or why the DTLS session ended

    def problems(self):
        """What a server that behaves does not do."""
        out = [text for text in (command.why_not() for command in self.commands) if text]
        if self.handshake and not self.answers:
            out.append(f"no DTLS session: {self.handshake}")
        elif not self.answers:
            out.append("the Bootstrap-Request is not answered")
        if self.malformed:
            out.append(f"{self.malformed} datagrams that are no CoAP messages")
        if self.kind == "plain" and self.answers[:1] == ["2.04"] and not self.finished:
            out.append("a session in which everything is answered has no Bootstrap-Finish")
        if self.kind == "duplicate-request" and len(set(self.answers)) > 1:
            out.append(f"the repeated Bootstrap-Request is answered otherwise: {' then '.join(self.answers)}")
        names = [command.name for command in self.commands]
        if self.kind == "duplicate-request" and len(names) > len(set(names)):
            out.append("the repeated Bootstrap-Request begins a second session")
        if self.again is False:
            out.append("afterwards this client is not bootstrapped any more")
        return out

    def story(self):
        repeated = sum(len(command.times) - 1 for command in self.commands)
        parts = [f"Bootstrap-Request answered with {', '.join(self.answers)}" if self.answers else "no answer to the Bootstrap-Request",
                 f"{len(self.commands)} commands" + (f", {repeated} repetitions" if repeated else ""),
                 "Finish" if self.finished else "no Finish"]
        if self.handshake and self.answers:
            parts.append(f"then the DTLS session ended: {self.handshake}")
        if self.again is not None:
            parts.append("bootstrapped afterwards" if self.again else "not bootstrapped afterwards")
        return "; ".join(parts)


class Clear:
    """Datagrams as they are, at a socket of their own."""

    def __init__(self, address):
        family, peer = address
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.connect(peer)

    def is_open(self):
        return True

    def send(self, data):
        try:
            self.socket.send(data)
        except ConnectionRefusedError:
            pass  # it is told by the next receive, too

    def wait(self, seconds):
        """The messages that came within that time, as soon as there are some."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return []
        try:
            return [self.socket.recv(65536)]
        except ConnectionRefusedError:
            time.sleep(0.05)
            return []

    def close(self, silently):
        del silently
        self.socket.close()


class Secure(Clear):
    """The same behind DTLS, with a pre-shared key. dtls.Failed: there is no session, or none any more."""

    TICK = 0.25  # how often the handshake is looked after

    def __init__(self, address, identity, key):
        super().__init__(address)
        self.end = dtls.Endpoint(identity, key, super().send)
        self.end.advance()

    def is_open(self):
        return self.end.open

    def send(self, data):
        self.end.send(data)

    def wait(self, seconds):
        arrived = super().wait(seconds if self.end.open else min(seconds, self.TICK))
        said = [message for datagram in arrived or [None] for message in self.end.feed(datagram)]
        if self.end.closed and not said:
            raise dtls.Failed("the server closed it")
        return said

    def close(self, silently):
        self.end.close(not silently)
        super().close(silently)


class Session:
    """One client over a connection of its own, which it closes."""

    def __init__(self, connection, endpoint, kind):
        self.connection = connection
        self.endpoint, self.seen = endpoint, Seen(kind)
        self.mid, self.token = random.randrange(65536), random.randbytes(4)
        self.request = coap.Message(coap.CON, coap.POST, self.mid, self.token,
                                    [(coap.PATH, b"bs"), (coap.QUERY, b"ep=" + endpoint.encode())])
        self.first_write = None

    def send(self, message):
        self.connection.send(coap.encode(message))

    def answer(self, m, code, options=(), payload=b""):
        kind, mid = (coap.ACK, m.mid) if m.type == coap.CON else (coap.NON, random.randrange(65536))
        self.send(coap.Message(kind, code, mid, m.token, list(options), payload))

    def is_left(self, m):
        """Does this client leave the command without an answer?"""
        kind = self.seen.kind
        if kind == "write-unanswered" and m.code in (coap.PUT, coap.DELETE):
            self.first_write = self.first_write if self.first_write is not None else m.mid
            return m.mid == self.first_write
        return kind == "silence" or (kind == "discover-unanswered" and m.code == coap.GET)

    def obey(self, m):
        if self.is_left(m):
            return
        if self.seen.kind == "not-found":
            self.answer(m, 0x84)
        elif m.code == coap.GET:
            self.answer(m, 0x45, [(coap.FORMAT, b"\x28")], DISCOVERED)
        else:
            self.answer(m, {coap.DELETE: 0x42}.get(m.code, 0x44))

    def command(self, m, now):
        known = next((one for one in self.seen.commands if one.mid == m.mid), None)
        if known:
            known.times.append(now)
        else:
            self.seen.commands.append(Command(f"{m.name} {m.path}", m.mid, m.type == coap.CON, [now]))
        self.seen.finished |= m.code == coap.POST and m.path == "/bs"
        self.obey(m)

    def take(self, data, now):
        try:
            m = coap.decode(data)
        except coap.Malformed:
            self.seen.malformed += 1
            return
        if m.is_request:
            self.command(m, now)
        elif m.code and m.token == self.token:
            self.seen.answers.append(m.name)
            if m.type == coap.CON:
                self.send(coap.Message(coap.ACK, 0, m.mid))
            if self.seen.kind == "duplicate-request" and len(self.seen.answers) == 1:
                self.send(self.request)

    def over(self):
        patient = self.seen.kind in ("silence", "duplicate-request")
        refused = bool(self.seen.answers) and self.seen.answers[0] != "2.04"
        return (self.seen.finished and not patient) or refused

    def converse(self, end):
        """Until it is over, or nothing may come any more; the Bootstrap-Request is repeated as RFC 7252 says."""
        repeat, wait = None, ACK_TIMEOUT / 2
        while not self.over() and (now := time.monotonic()) < end:
            if self.connection.is_open() and not self.seen.answers and now >= (repeat or now):
                self.send(self.request)
                wait *= 2
                repeat = now + wait
            limit = min(end, repeat) if repeat and not self.seen.answers else end
            for data in self.connection.wait(max(0.0, limit - now)):
                self.take(data, time.monotonic())

    def play(self, seconds):
        try:
            self.converse(time.monotonic() + seconds)
            if not self.connection.is_open():
                self.seen.handshake = "the handshake does not end"
        except dtls.Failed as problem:
            self.seen.handshake = str(problem)
        self.connection.close(silently=self.seen.kind == "silence")
        return self.seen


def look_up(host, port):
    """The family and the address; an OSError where there is none."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    return family, address


def try_kind(connect, endpoint, kind, seconds):
    """A session of that kind, and a plain one behind it, each over what `connect()` makes."""
    seen = Session(connect(), endpoint, kind).play(seconds)
    if kind != "plain":
        after = Session(connect(), endpoint, "plain").play(seconds)
        seen.again = after.finished
    return seen
