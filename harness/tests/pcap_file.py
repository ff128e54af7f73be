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


def framed(packet, link):
    """What stands in front of an IP packet on that kind of link, and the packet."""
    heads = {ETHERNET: lambda p: bytes(12) + ethertype(p), COOKED: lambda p: bytes(14) + ethertype(p),
             COOKED_2: lambda p: ethertype(p) + bytes(18), NULL: lambda p: struct.pack("<I", 2)}
    return heads.get(link, lambda p: b"")(packet) + packet


def packed(packets, link=RAW, order="<"):
    """The bytes of a pcap file; packets are (seconds, IP packet)."""
    out = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for time, packet in packets:
        data = framed(packet, link)
        out += struct.pack(order + "IIII", int(time), round(time % 1 * 1e6), len(data), len(data)) + data
    return out


def ethertype(packet):
    return struct.pack("!H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD)


def write(file, packets, link=RAW):
    file.write_bytes(packed(packets, link))
    return file


def block(kind, body, order="<"):
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    total = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + total + body + total


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(interfaces, packets, order="<"):
    """A section of pcapng: interfaces are (link type, if_tsresol), packets (interface, seconds, IP packet); the packets of
    an interface whose if_tsresol is None are Simple Packet Blocks, which have no time."""
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    for link, resolution in interfaces:
        ticks = b"" if resolution is None else option(9, bytes([resolution]), order) + option(0, b"", order)
        out += block(1, struct.pack(order + "HHI", link, 0, 262144) + ticks, order)
    for number, time, packet in packets:
        link, resolution = interfaces[number]
        data = framed(packet, link)
        if resolution is None:
            out += block(3, struct.pack(order + "I", len(data)) + data, order)
            continue
        unit = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10 ** resolution
        ticks = round(time * unit)
        out += block(6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data, order)
    return out
