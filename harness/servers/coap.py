# SPDX-License-Identifier: Apache-2.0
"""As much of CoAP over UDP (RFC 7252) as a client needs that misbehaves on purpose: messages to bytes and back."""
from __future__ import annotations

import dataclasses
import struct

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = 0x01, 0x02, 0x03, 0x04
OBSERVE, LOCATION, PATH, FORMAT, QUERY = 6, 8, 11, 12, 15


class Malformed(ValueError):
    """Bytes that are no CoAP message."""


@dataclasses.dataclass
class Message:
    type: int
    code: int
    mid: int
    token: bytes = b""
    options: list = dataclasses.field(default_factory=list)  # of (number, value), in ascending order
    payload: bytes = b""

    @property
    def path(self):
        return "/" + "/".join(value.decode(errors="replace") for number, value in self.options if number == PATH)

    @property
    def is_request(self):
        return 1 <= self.code < 32

    @property
    def name(self):
        """GET, 2.04, ..."""
        methods = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE", 5: "FETCH", 6: "PATCH", 7: "iPATCH"}
        return methods.get(self.code, f"{self.code >> 5}.{self.code & 31:02}")


def _number(value):
    """A delta or a length: its four bits, and the bytes behind them."""
    if value < 13:
        return value, b""
    return (13, bytes([value - 13])) if value < 269 else (14, struct.pack("!H", value - 269))


def encode(m: Message) -> bytes:
    out = struct.pack("!BBH", 0x40 | m.type << 4 | len(m.token), m.code, m.mid) + m.token
    before = 0
    for number, value in m.options:
        (delta, more), (length, further) = _number(number - before), _number(len(value))
        out += bytes([delta << 4 | length]) + more + further + value
        before = number
    return out + (b"\xff" + m.payload if m.payload else b"")


def _extended(bits, data, at):
    sizes = {13: (1, 13), 14: (2, 269)}
    if bits < 13:
        return bits, at
    size, base = sizes.get(bits, (0, 0))
    if not size or at + size > len(data):
        raise Malformed("an option that is cut off")
    return int.from_bytes(data[at:at + size], "big") + base, at + size


def decode(data: bytes) -> Message:
    if len(data) < 4 or data[0] >> 6 != 1 or data[0] & 15 > 8 or len(data) < 4 + (data[0] & 15):
        raise Malformed("no header of CoAP")
    length = data[0] & 15
    m = Message(data[0] >> 4 & 3, data[1], int.from_bytes(data[2:4], "big"), data[4:4 + length])
    at, number = 4 + length, 0
    while at < len(data) and data[at] != 0xFF:
        first = data[at]
        delta, at = _extended(first >> 4, data, at + 1)
        size, at = _extended(first & 15, data, at)
        if at + size > len(data):
            raise Malformed("an option that is cut off")
        number += delta
        m.options.append((number, data[at:at + size]))
        at += size
    if at < len(data) and at + 1 == len(data):
        raise Malformed("a marker and no payload")
    m.payload = data[at + 1:]
    return m
