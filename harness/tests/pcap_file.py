# SPDX-License-Identifier: Apache-2.0
"""Captures made by hand, for tests: pcap files of any link type, with datagrams of UDP in them, and CoAP messages."""
import ipaddress
import struct

RAW, ETHERNET, COOKED, COOKED_2, NULL = 101, 1, 113, 276, 0

CON, NON, ACK, RST = range(4)


def udp(source, destination, payload):
    """An IP packet; addresses are ("192.0.2.1", 5683)."""
    (host, port), (other, other_port) = source, destination
    here, there = ipaddress.ip_address(host), ipaddress.ip_address(other)
    data = struct.pack("!HHHH", port, other_port, 8 + len(payload), 0) + payload
    if here.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0x4000, 64, 17, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, len(data), 17, 64)
    return head + here.packed + there.packed + data


def port_unreachable(packet):
    """What the host that `packet` (of IPv4) was for says of it."""
    data = struct.pack("!BBHI", 3, 3, 0, 0) + packet
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0, 64, 1, 0) + packet[16:20] + packet[12:16] + data


def coap(kind, code, mid, token=b"", options=(), payload=b""):
    """`code` as "2.04"; options as (number, bytes), in ascending order."""
    number = int(code[0]) << 5 | int(code[2:])
    out = bytes([0x40 | kind << 4 | len(token), number]) + struct.pack("!H", mid) + token
    last = 0
    for option, value in options:
        delta, extended = (option - last, b"") if option - last < 13 else (13, bytes([option - last - 13]))
        length, longer = (len(value), b"") if len(value) < 13 else (13, bytes([len(value) - 13]))
        out += bytes([delta << 4 | length]) + extended + longer + value
        last = option
    return out + (b"\xff" + payload if payload else b"")


def path(text):
    return [(11, part.encode()) for part in text.strip("/").split("/")]


def query(*texts):
    return [(15, text.encode()) for text in texts]


def packed(packets, link=RAW, order="<"):
    """The bytes of a pcap file; packets are (seconds, IP packet)."""
    heads = {RAW: lambda p: b"", ETHERNET: lambda p: bytes(12) + ethertype(p),
             COOKED: lambda p: bytes(14) + ethertype(p), COOKED_2: lambda p: ethertype(p) + bytes(18),
             NULL: lambda p: struct.pack("<I", 2)}
    out = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for time, packet in packets:
        data = heads.get(link, lambda p: b"")(packet) + packet
        out += struct.pack(order + "IIII", int(time), round(time % 1 * 1e6), len(data), len(data)) + data
    return out


def ethertype(packet):
    return struct.pack("!H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD)


def write(file, packets, link=RAW):
    file.write_bytes(packed(packets, link))
    return file
