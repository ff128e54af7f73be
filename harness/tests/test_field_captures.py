# SPDX-License-Identifier: Apache-2.0
"""Captures as the field gives them: cut by a snapshot length, begun in the middle, of one direction, taken at two places at
once. What they do not show is held against nobody, and what is left out is said."""
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pcap_file import ACK, CON, ETHERNET, NON, RAW, coap, packed, path, port_unreachable, query, section, udp  # noqa: E402

CLIENT, BS, SERVER = ("192.0.2.1", 56830), ("192.0.2.10", 5685), ("192.0.2.20", 5683)
TLV = [(12, struct.pack("!H", 11542))]


def resource(number, value):
    return bytes([0xC0 | len(value), number]) + value if len(value) < 8 else bytes([0xC8, number, len(value)]) + value


SECURITY = (resource(0, b"coap://192.0.2.20") + resource(1, b"\0") + resource(2, b"\3") + resource(3, b"") + resource(4, b"")
            + resource(5, b"") + resource(10, b"\x65"))
ACCOUNT = resource(0, b"\x65") + resource(1, struct.pack("!I", 300)) + resource(6, b"\0") + resource(7, b"U")


def life(client=CLIENT):
    """A bootstrap, a Register and an Update in which nothing is wrong: (seconds, from, to, message)."""
    asked = coap(CON, "0.02", 1, b"\1", path("/bs") + query("ep=dev-1"))
    register = path("/rd") + [(12, b"\x28")] + query("b=U", "ep=dev-1", "lt=300", "lwm2m=1.1")
    return [(0, client, BS, asked), (0.02, BS, client, coap(ACK, "2.04", 1, b"\1")),
            (0.1, BS, client, coap(CON, "0.04", 70, b"\2", path("/0"))), (0.12, client, BS, coap(ACK, "2.02", 70, b"\2")),
            (0.2, BS, client, coap(CON, "0.03", 71, b"\3", path("/0/1") + TLV, SECURITY)),
            (0.22, client, BS, coap(ACK, "2.04", 71, b"\3")),
            (0.3, BS, client, coap(CON, "0.03", 72, b"\4", path("/1/0") + TLV, ACCOUNT)),
            (0.32, client, BS, coap(ACK, "2.04", 72, b"\4")),
            (0.4, BS, client, coap(CON, "0.02", 73, b"\5", path("/bs"))), (0.42, client, BS, coap(ACK, "2.04", 73, b"\5")),
            (1, client, SERVER, coap(CON, "0.02", 2, b"\6", register, b"</1/0>,</3/0>")),
            (1.05, SERVER, client, coap(ACK, "2.01", 2, b"\6", [(8, b"rd"), (8, b"7")])),
            (200, client, SERVER, coap(CON, "0.02", 3, b"\7", path("/rd/7"))),
            (200.05, SERVER, client, coap(ACK, "2.04", 3, b"\7"))]


def packets(messages):
    return [(1700000000 + time, udp(here, there, message)) for time, here, there, message in messages]


def saved(tmp_path, data):
    (tmp_path / "field.pcap").write_bytes(data)
    return tmp_path / "field.pcap"


def cut_at(frames, length):
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, length, 101)
    for time, packet in frames:
        out += struct.pack("<IIII", int(time), round(time % 1 * 1e6), len(packet[:length]), len(packet)) + packet[:length]
    return out


def run(*arguments):
    return api.call("judge", *arguments, timeout=60)


def judged(file, *arguments):
    done = run("--json", "--all", *arguments, file)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def broken(file, *arguments):
    return {found["rule"]: found["frame"] for client in judged(file, *arguments) for found in client["broken"]}


def test_a_life_in_which_nothing_is_wrong(tmp_path):
    file = saved(tmp_path, packed(packets(life())))
    assert broken(file, "--at-client") == {}
    assert [len(client["exchanges"]) for client in judged(file)] == [7]


@pytest.mark.parametrize("length", [29, 32, 40, 46, 50, 66, 72, 90])
@pytest.mark.parametrize("arguments", [(), ("--at-client",)])
def test_a_snapshot_length(tmp_path, length, arguments):
    file = saved(tmp_path, cut_at(packets(life()), length))
    assert broken(file, *arguments) == {}


def test_that_the_capture_holds_a_part_is_said(tmp_path):
    said = run(saved(tmp_path, cut_at(packets(life()), 46)))
    assert "3 frames are cut, the first is frame 5" in said.stderr, said.stderr
    assert "frame 11         1.000 s  a datagram of which the capture holds a part" in said.stdout


def test_an_error_of_icmp_is_whole_though_it_quotes_a_part(tmp_path):
    register = udp(*life()[10][1:])
    file = saved(tmp_path, packed([(0, register), (0.1, port_unreachable(register[:28 + 8]))]))
    assert "cut" not in run(file).stderr


def stolen(messages, *sources):
    return [message for message in messages if message[1] not in sources]


@pytest.mark.parametrize("arguments", [(), ("--at-client",)])
@pytest.mark.parametrize("start", range(1, 14))
def test_a_capture_that_begins_in_the_middle(tmp_path, start, arguments):
    file = saved(tmp_path, packed(packets(life()[start:])))
    assert broken(file, *arguments) == {}


@pytest.mark.parametrize("missing", range(14))
def test_a_frame_that_the_capture_missed(tmp_path, missing):
    file = saved(tmp_path, packed(packets(life()[:missing] + life()[missing + 1:])))
    assert broken(file) == {}


@pytest.mark.parametrize("sources", [(CLIENT,), (BS, SERVER)])
def test_one_direction(tmp_path, sources):
    assert broken(saved(tmp_path, packed(packets(stolen(life(), *sources))))) == {}


def test_an_acknowledgement_of_something_else_than_what_waits_for_one(tmp_path):
    messages = life()
    messages[3] = (0.12, CLIENT, BS, coap(ACK, "2.02", 69, b"\2"))
    assert broken(saved(tmp_path, packed(packets(messages)))) == {"COAP-ACK": 4}


def test_a_response_with_a_token_of_nothing_while_a_request_waits(tmp_path):
    messages = life()
    messages[3:4] = [(0.11, CLIENT, BS, coap(ACK, "0.00", 70)), (0.12, CLIENT, BS, coap(NON, "2.02", 9, b"\x55"))]
    assert broken(saved(tmp_path, packed(packets(messages)))) == {"COAP-TOKEN": 5}


def test_frames_in_another_order_than_they_came_in(tmp_path):
    frames = packets(life())
    file = saved(tmp_path, packed([frames[i ^ 1] for i in range(len(frames))]))
    assert broken(file) == {}
    assert "reordercap sorts them" in run(file).stderr


@pytest.mark.parametrize("start", range(1, 14))
def test_who_is_the_client_where_the_beginning_is_missing(tmp_path, start):
    clients = judged(saved(tmp_path, packed(packets(life()[start:]))))
    assert [client["client"] for client in clients] == [CLIENT[0]]
    assert len(clients[0]["exchanges"]) == (14 - start) // 2


def test_who_is_the_client_where_only_servers_are_heard(tmp_path):
    assert [client["client"] for client in judged(saved(tmp_path, packed(packets(stolen(life(), CLIENT)))))] == [CLIENT[0]]


def test_a_server_that_succeeds_with_the_security_object(tmp_path):
    there = [(210, SERVER, CLIENT, coap(CON, "0.04", 80, b"\x0a", path("/0/1"))), (210.1, CLIENT, SERVER, coap(ACK, "2.02", 80, b"\x0a"))]
    assert broken(saved(tmp_path, packed(packets(life() + there))))["SEC-OBJECT-CLOSED"] == 16


# --- taken at two places ------------------------------------------------------------------------------------------

def numbered(frames):
    """With an Identification each, as hosts give them."""
    return [(time, packet[:4] + struct.pack("!H", number + 1) + packet[6:]) for number, (time, packet) in enumerate(frames)]


def routed(packet):
    return packet[:8] + bytes([packet[8] - 1]) + packet[9:]


def as_it_is(packet):
    return packet


def six(frames):
    hosts = {CLIENT[0]: "2001:db8::1", BS[0]: "2001:db8::10", SERVER[0]: "2001:db8::20"}
    return [(1700000000 + time, udp((hosts[here[0]], here[1]), (hosts[there[0]], there[1]), message))
            for time, here, there, message in frames]


def hop_less(packet):
    return packet[:7] + bytes([packet[7] - 1]) + packet[8:]


COPIES = {"a router": (packets(life()), routed, 0.002), "a mirrored port": (numbered(packets(life())), as_it_is, 0.00005),
          "a router of IPv6": (six(life()), hop_less, 0.3)}


@pytest.mark.parametrize("place", COPIES)
@pytest.mark.parametrize("arguments", [(), ("--at-client",)])
def test_packets_that_pass_two_places(tmp_path, place, arguments):
    frames, other, later = COPIES[place]
    both = sorted([*frames, *((time + later, other(packet)) for time, packet in frames)], key=lambda frame: frame[0])
    file = saved(tmp_path, packed(both))
    assert broken(file, *arguments) == {}
    assert [len(client["exchanges"]) for client in judged(file)] == [7]
    assert "14 frames are not read, the first is frame" in run(file).stderr
    assert "a packet that was captured before, at another place" in run(file).stderr


def test_packets_on_two_interfaces(tmp_path):
    data = section([(ETHERNET, 6), (RAW, 9)], [(n, time + n / 10000, packet) for time, packet in packets(life()) for n in (0, 1)])
    file = saved(tmp_path, data)
    assert broken(file, "--at-client") == {}
    assert [len(client["exchanges"]) for client in judged(file)] == [7]


def test_fragments_on_two_interfaces(tmp_path):
    whole = numbered(packets(life()))[4][1]
    pieces = [whole[:2] + struct.pack("!H", 44) + whole[4:6] + b"\x20\0" + whole[8:44],
              whole[:2] + struct.pack("!H", len(whole) - 24) + whole[4:6] + b"\0\3" + whole[8:20] + whole[44:]]
    frames = [(n, 1700000000 + n / 10000, piece) for piece in pieces for n in (0, 1)]
    said = run(saved(tmp_path, section([(ETHERNET, 6), (RAW, 6)], frames)))
    assert said.stdout.count("Write /0/1") == 1 and "no answer" in said.stdout


def test_a_message_that_a_host_sends_twice_is_no_copy(tmp_path):
    """Neither where each has an Identification of its own, nor where none has any."""
    sent = packets(life())
    for frames in (numbered([sent[0], (sent[0][0] + 0.001, sent[0][1]), *sent[1:]]), [sent[0], *sent]):
        assert broken(saved(tmp_path, packed(frames)))["COAP-RETRANSMIT"] == 2
    assert "repetition 1 is due after 1.899 s, or later\n" in run(tmp_path / "field.pcap").stdout


def test_both_sides_of_a_translation_of_addresses(tmp_path):
    outside = ("203.0.113.7", 40001)
    both = [*life(), *((time + 0.0005, here, there, message) for time, here, there, message in life(outside))]
    clients = judged(saved(tmp_path, packed(sorted(packets(both), key=lambda frame: frame[0]))))
    assert [(client["client"], len(client["exchanges"])) for client in clients] == [(CLIENT[0], 7), (outside[0], 7)]


# --- kinds of links and of files ----------------------------------------------------------------------------------

def of_type(kind, head=b""):
    return lambda packet: bytes(12) + struct.pack("!H", kind) + head + struct.pack("!H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD) + packet


def of_ppp(packet):
    return (b"\0\x21" if packet[0] >> 4 == 4 else b"\0\x57") + packet


LINKS = {"VLAN": (1, of_type(0x8100, b"\0\5")), "QinQ": (1, of_type(0x88A8, b"\0\5\x81\0\0\6")),
         "QinQ before its number": (1, of_type(0x9100, b"\0\5\x81\0\0\6")),
         "PPPoE": (1, lambda packet: bytes(12) + b"\x88\x64\x11\0\0\1" + struct.pack("!H", 2 + len(packet)) + of_ppp(packet)),
         "cooked VLAN": (113, lambda packet: bytes(2) + of_type(0x8100, b"\0\5")(packet)),
         "PPP": (9, of_ppp), "PPP with address and control": (9, lambda packet: b"\xff\3" + of_ppp(packet)),
         "PPP, short": (50, lambda packet: b"\xff\3" + of_ppp(packet)[1:])}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("frames", [packets(life()), six(life())], ids=["IPv4", "IPv6"])
def test_links(tmp_path, link, frames):
    kind, framed = LINKS[link]
    file = saved(tmp_path, packed([(time, framed(packet)) for time, packet in frames], link=1 << 15))
    file.write_bytes(file.read_bytes()[:20] + struct.pack("<I", kind) + file.read_bytes()[24:])
    assert [(len(client["exchanges"]), client["broken"]) for client in judged(file)] == [(7, [])]


@pytest.mark.parametrize("begins, said", [
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd, and gzip alone is unpacked here"),
    (b"\x04\x22\x4d\x18", "packed with lz4"), (b"\xfd7zXZ\0", "packed with xz"), (b"BZh9", "packed with bzip2"), (b"PK\3\4", "packed with zip"),
    (b"snoop\0\0\0", "neither as pcap nor as pcapng (Wireshark's editcap converts other formats)")])
def test_other_files(tmp_path, begins, said):
    done = run(saved(tmp_path, begins + bytes(100)))
    assert done.returncode == 2 and said in done.stderr


# --- keys ---------------------------------------------------------------------------------------------------------

def secure_run(tmp_path):
    """A run behind DTLS, its capture without its secrets, and those as a key log at the end of a long path."""
    scenario, whole, bare = tmp_path / "a.yaml", tmp_path / "whole.pcapng", tmp_path / "bare.pcapng"
    scenario.write_text("""
title: A session behind DTLS
client: {bootstrap: {uri: "coaps://bs.example", security: psk, identity: !text boot, key: 000102030405060708090a0b0c0d0e0f}}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 4.03
""")
    assert api.call("run", scenario, "--pcap", whole).returncode == 0
    subprocess.run(["editcap", "--discard-all-secrets", whole, bare], check=True, timeout=60)
    folder = tmp_path / ("a" * 200)
    folder.mkdir()
    lines = sorted(set(re.findall(rb"CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}", whole.read_bytes())))
    (folder / "keys.log").write_bytes(b"\n".join(lines) + b"\n")
    return bare, folder / "keys.log"


needs_tshark = pytest.mark.skipif(not (shutil.which("tshark") and shutil.which("editcap")), reason="tshark and editcap, which decrypt, are not installed (ci/setup)")


@needs_tshark
def test_a_key_log_at_the_end_of_a_long_path(tmp_path):
    bare, log = secure_run(tmp_path)
    said = run("--keys", log, bare)
    assert "nothing of it is decrypted" not in said.stderr and "Bootstrap-Request" in said.stdout


@needs_tshark
def test_keys_that_do_not_fit(tmp_path):
    bare, _ = secure_run(tmp_path)
    (tmp_path / "keys").write_text("boot:00112233\n")
    assert "nothing of it is decrypted: --keys has none that fits" in run("--keys", tmp_path / "keys", bare).stderr
    assert "nothing of it is decrypted: --keys names a file with keys" in run(bare).stderr


@needs_tshark
def test_what_is_decrypted_in_part_is_said(tmp_path):
    """The same session again from another port, without its handshake."""
    bare, log = secure_run(tmp_path)
    again = tmp_path / "again.pcap"
    subprocess.run(["editcap", "-F", "pcap", bare, again], check=True, timeout=60)
    data, at, sealed = again.read_bytes(), 24, b""
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        packet = data[at + 16:at + 16 + size]
        if packet[9] == 17 and packet[28] == 23:
            sealed += data[at:at + 16] + packet[:15] + bytes([packet[15] + 1]) + packet[16:19] + bytes([packet[19] + 1]) + packet[20:]
        at += 16 + size
    again.write_bytes(data + sealed)
    said = run("--all", "--keys", log, again)
    assert "frames of DTLS carry what is not decrypted, the first is frame" in said.stderr
    assert "carry what is not decrypted" not in run("--keys", log, bare).stderr


def test_records_with_a_connection_id_are_told(tmp_path):
    record = b"\x19\xfe\xfd\0\1\0\0\0\0\0\1" + b"\7" + b"\0\x20" + bytes(32)
    hello = b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x0d\1" + bytes(12)
    there = ("192.0.2.10", 5684)
    said = run(saved(tmp_path, packed([(0, udp(CLIENT, there, hello)), (1, udp(CLIENT, there, record))])))
    assert "the client sends 46 bytes that are encrypted" in said.stdout


# --- TCP ----------------------------------------------------------------------------------------------------------

def framed(code, token=b"", options=(), payload=b""):
    """A message of CoAP over TCP (RFC 8323 §3.2)."""
    rest = coap(CON, code, 0, b"", options, payload)[4:]
    length = bytes([len(rest) << 4 | len(token)]) if len(rest) < 13 else bytes([13 << 4 | len(token), len(rest) - 13])
    return length + bytes([int(code[0]) << 5 | int(code[2:])]) + token + rest


def segment(here, there, sequence, acknowledged, flags, data=b""):
    head = struct.pack("!HHIIBBHHH", here[1], there[1], sequence, acknowledged, 0x50, flags, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 0, 0x4000, 64, 6, 0)
    return ip + bytes(map(int, here[0].split("."))) + bytes(map(int, there[0].split("."))) + head + data


TCP_BS = (BS[0], 5683)


def connection(pieces=1400):
    """A bootstrap over TCP, each segment acknowledged: (seconds, packet)."""
    csm = framed("7.01")
    said = [(CLIENT, csm), (TCP_BS, csm), (CLIENT, framed("0.02", b"\1", path("/bs") + query("ep=dev-1"))), (TCP_BS, framed("2.04", b"\1")),
            (TCP_BS, framed("0.04", b"\2", path("/0"))), (CLIENT, framed("2.02", b"\2")),
            (TCP_BS, framed("0.03", b"\3", path("/0/1") + TLV, SECURITY)), (CLIENT, framed("2.04", b"\3")),
            (TCP_BS, framed("0.03", b"\4", path("/1/0") + TLV, ACCOUNT)), (CLIENT, framed("2.04", b"\4")),
            (TCP_BS, framed("0.02", b"\5", path("/bs"))), (CLIENT, framed("2.04", b"\5"))]
    at = {CLIENT: 1001, TCP_BS: 0xFFFFFFF1}
    out = [segment(CLIENT, TCP_BS, 1000, 0, 2), segment(TCP_BS, CLIENT, 0xFFFFFFF0, 1001, 18), segment(CLIENT, TCP_BS, 1001, 0xFFFFFFF1, 16)]
    for here, data in said:
        there = TCP_BS if here == CLIENT else CLIENT
        for begin in range(0, len(data), pieces):
            out.append(segment(here, there, at[here], at[there], 24, data[begin:begin + pieces]))
            at[here] = at[here] + len(data[begin:begin + pieces]) & 0xFFFFFFFF
            out.append(segment(there, here, at[there], at[here], 16))
    return [(1700000000 + number / 100, packet) for number, packet in enumerate(out)]


def test_a_connection_in_which_nothing_is_wrong(tmp_path):
    for pieces in (1400, 9):
        client, = judged(saved(tmp_path, packed(connection(pieces))))
        assert (client["broken"], len(client["exchanges"])) == ([], 5)


@pytest.mark.parametrize("pieces", [1400, 9])
def test_a_connection_whose_beginning_is_missing(tmp_path, pieces):
    frames = connection(pieces)
    for start in range(1, len(frames) - 2):
        assert broken(saved(tmp_path, packed(frames[start:]))) == {}, start


@pytest.mark.parametrize("pieces", [1400, 9])
def test_a_segment_that_the_capture_missed(tmp_path, pieces):
    frames = connection(pieces)
    for missing in range(3, len(frames)):
        file = saved(tmp_path, packed(frames[:missing] + frames[missing + 1:]))
        assert broken(file) == {}, missing
        later = [packet for _, packet in frames[missing + 1:] if len(packet) > 40 and packet[12:16] == frames[missing][1][12:16]]
        if pieces == 1400 and len(frames[missing][1]) > 40:
            assert len(judged(file)[0]["exchanges"]) == 4 or frames[missing][1][40:] == framed("7.01")
            assert not later or "TCP: bytes are missing before what the other side got" in run(file).stderr


def test_segments_that_are_cut(tmp_path):
    file = saved(tmp_path, cut_at(connection(), 60))
    assert broken(file) == {}
    assert "2 frames are cut, the first is frame 16 " in run(file).stderr
    assert len(judged(file)[0]["exchanges"]) == 3


# --- scenarios ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("start, said", [(1, "frame 2 is Delete /0"), (6, "frame 1 is Write /1/0"), (9, None), (10, None)])
def test_a_scenario_of_a_capture_that_begins_in_the_middle(tmp_path, start, said):
    file = saved(tmp_path, packed(packets(life()[start:])))
    done = api.call("from-capture", file, "-o", tmp_path / "a.yaml")
    assert done.returncode == 0
    assert ("the capture begins in the middle" in done.stderr) == bool(said)
    assert ("the capture begins in the middle" in (tmp_path / "a.yaml").read_text()) == bool(said)
    assert not said or said in done.stderr
    assert said or api.call("run", tmp_path / "a.yaml").returncode == 0


# --- fragments ----------------------------------------------------------------------------------------------------

def halves(packet):
    return [packet[:2] + struct.pack("!H", 44) + packet[4:6] + b"\x20\0" + packet[8:44],
            packet[:2] + struct.pack("!H", len(packet) - 24) + packet[4:6] + b"\0\3" + packet[8:20] + packet[44:]]


def test_fragments_that_are_joined_are_read(tmp_path):
    frames = numbered(packets(life()))
    pieces = [(time, piece) for time, packet in frames for piece in (halves(packet) if len(packet) > 52 else [packet])]
    for order in (pieces, sorted(pieces, key=lambda piece: (piece[0], -piece[1][6]))):
        file = saved(tmp_path, packed(order))
        assert ([len(client["exchanges"]) for client in judged(file)], run(file).stderr) == ([7], "")
    second = next(i for i, piece in enumerate(pieces) if piece[1][6] == 0x20) + 3
    assert pieces[second][1][6] == 0x20
    file = saved(tmp_path, packed(pieces[:second] + pieces[second + 1:]))
    assert f"1 frames are not read, the first is frame {second + 1}: a fragment of a datagram that is not whole" in run(file).stderr


def test_a_port_that_is_known_behind_its_first_messages(tmp_path):
    """The client asks again later: what it did there before is read, and not counted as unread."""
    other = {BS: (BS[0], 7000), SERVER: (SERVER[0], 7001), CLIENT: (CLIENT[0], 40000)}
    again = coap(CON, "0.02", 900, b"\x0b", path("/bs") + query("ep=dev-1"))
    messages = [(time, other[here], other[there], message) for time, here, there, message in [*life()[2:], (300, CLIENT, BS, again)]]
    file = saved(tmp_path, packed(packets(messages)))
    client, = judged(file)
    assert (client["first_frame"], len(client["exchanges"]), run(file).stderr) == (1, 6, "")
