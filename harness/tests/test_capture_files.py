# SPDX-License-Identifier: Apache-2.0
"""Files of captures: pcapng with several sections, byte orders, interfaces of differing kinds and clocks; key logs; and files
that are cut off or damaged, which are read as far as they go, in bounded time."""
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import time

import pytest

from harness.pytest_bootjack import api

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pcap_file import (ACK, CON, COOKED, COOKED_2, ETHERNET, NULL, RAW, block, coap, packed, path, query,  # noqa: E402
                       section, udp)

CLIENT, BS = ("192.0.2.50", 56830), ("192.0.2.60", 5685)
ASK = udp(CLIENT, BS, coap(CON, "0.02", 1, b"\1", path("/bs") + query("ep=dev-1")))
TAKEN = udp(BS, CLIENT, coap(ACK, "2.04", 1, b"\1"))
DELETE = udp(BS, CLIENT, coap(CON, "0.04", 2, b"\2", path("/0")))
DONE = udp(CLIENT, BS, coap(ACK, "4.05", 2, b"\2"))
BOOTSTRAP = [(100.0, ASK), (100.25, TAKEN), (101.5, DELETE), (101.75, DONE)]
MICRO, NANO, BINARY, SECONDS = 6, 9, 0x80 | 20, 0
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (ci/setup)")


def judged(file, *arguments):
    done = api.call("judge", "--json", *arguments, file, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout), done.stderr


def times(file):
    """The clock of each message, as `decode` prints it."""
    return [float(line.split()[1]) for line in api.call("decode", file).stdout.splitlines()]


def both_ways(file, data):
    """The file as it is, and compressed."""
    file.write_bytes(data)
    packed_file = file.with_name(file.name + ".gz")
    packed_file.write_bytes(gzip.compress(data))
    return file, packed_file


def spread(interfaces):
    """The bootstrap's packets over the interfaces in turn."""
    return [(number % len(interfaces), when, packet) for number, (when, packet) in enumerate(BOOTSTRAP)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("links", [(ETHERNET, RAW), (COOKED, COOKED_2), (NULL, ETHERNET, RAW)])
def test_interfaces_of_differing_link_types(tmp_path, order, links):
    interfaces = [(link, MICRO) for link in links]
    for file in both_ways(tmp_path / "a.pcapng", section(interfaces, spread(interfaces), order)):
        client, said = judged(file)
        assert said == ""
        assert [(found["rule"], found["frame"]) for found in client["broken"]] == [("BS-CODES", 4)]
        assert times(file) == [0, 0.25, 1.5, 1.75]


@pytest.mark.parametrize("resolutions", [(MICRO, NANO), (BINARY, MICRO), (0x80 | 63, NANO), (12, BINARY)])
def test_clocks_of_differing_resolutions(tmp_path, resolutions):
    interfaces = [(RAW, resolution) for resolution in resolutions]
    packets = [(number, when % 1 + (when // 1 if resolutions[number] != 0x80 | 63 else 0), packet)
               for number, when, packet in spread(interfaces)]
    for file in both_ways(tmp_path / "a.pcapng", section(interfaces, packets)):
        assert len(times(file)) == 4
        if 0x80 | 63 not in resolutions:
            assert times(file) == [0, 0.25, 1.5, 1.75]


def test_a_clock_of_whole_seconds_and_an_offset(tmp_path):
    interface = block(1, struct.pack("<HHI", RAW, 0, 0) + struct.pack("<HHB3x", 9, 1, SECONDS) + struct.pack("<HHq", 14, 8, 1000))
    head = section([], [])
    packets = b"".join(block(6, struct.pack("<IIIII", 0, 0, int(when), len(packet), len(packet)) + packet) for when, packet in BOOTSTRAP)
    for file in both_ways(tmp_path / "a.pcapng", head + interface + packets):
        assert times(file) == [0, 0, 1, 1]


def test_sections_in_both_byte_orders(tmp_path):
    """Each has interfaces of its own, counted anew; a section that holds nothing is nothing."""
    first = section([(ETHERNET, MICRO)], [(0, *BOOTSTRAP[0]), (0, *BOOTSTRAP[1])], "<")
    second = section([(RAW, NANO), (NULL, BINARY)], [(1, *BOOTSTRAP[2]), (0, *BOOTSTRAP[3])], ">")
    for file in both_ways(tmp_path / "a.pcapng", first + section([], []) + second):
        client, said = judged(file)
        assert said == ""
        assert [found["rule"] for found in client["broken"]] == ["BS-CODES"]
        assert times(file) == [0, 0.25, 1.5, 1.75]


@needs_tshark
def test_frames_are_counted_as_tshark_counts_them(tmp_path):
    interfaces = [(ETHERNET, NANO), (RAW, MICRO)]
    file = tmp_path / "a.pcapng"
    file.write_bytes(section(interfaces, spread(interfaces)) + section([(RAW, BINARY)], [(0, *BOOTSTRAP[0])], ">"))
    theirs = subprocess.run(["tshark", "-n", "-r", file, "-d", "udp.port==5685,coap", "-T", "fields", "-e", "frame.number", "-e",
                             "frame.time_relative"], capture_output=True, text=True, check=True, timeout=60).stdout.split()
    ours = [line.split() for line in api.call("decode", file).stdout.splitlines()]
    assert [line[0] for line in ours] == theirs[::2]
    assert [float(line[1]) for line in ours] == pytest.approx([float(text) for text in theirs[1::2]], abs=1e-6)


def test_packets_without_a_time_and_links_that_are_not_known(tmp_path):
    wlan = 105
    interfaces = [(RAW, MICRO), (wlan, MICRO)]
    data = section(interfaces, [(0, *BOOTSTRAP[0]), (1, 100.1, b"x" * 40), (0, *BOOTSTRAP[1])])
    data += section([(RAW, None)], [(0, 0, BOOTSTRAP[2][1]), (0, 0, BOOTSTRAP[3][1])])
    for file in both_ways(tmp_path / "a.pcapng", data):
        client, said = judged(file)
        assert [(found["rule"], found["frame"]) for found in client["broken"]] == [("BS-CODES", 5)]
        assert "1 frames are not read, the first is frame 2: a link type other than Ethernet" in said


# --- key logs ---------------------------------------------------------------------------------------------------

@needs_tshark
@pytest.mark.parametrize("uri, transport", [("coaps://bs.example", "dtls"), ("coaps+tcp://bs.example", "tls")])
def test_a_key_log_alone(tmp_path, uri, transport):
    """A session of our own client under DTLS and TLS; its secrets are taken out of the capture, and given as a file."""
    scenario = tmp_path / "a.yaml"
    scenario.write_text(f"""
title: A session behind DTLS or TLS
client: {{bootstrap: {{uri: "{uri}", security: psk, identity: !text boot, key: 000102030405060708090a0b0c0d0e0f, instance: 0}}}}
steps:
  - request: {{to: bs, method: POST, path: /bs}}
  - respond: 2.04
  - delete: {{path: /1, expect: 2.02}}
  - write: /0/1
    tlv: {{0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: "", 10: 101}}
    expect: 2.04
  - write: /1/0
    tlv: {{0: 101, 1: 86400, 6: false, 7: U}}
    expect: 2.04
  - finish: {{expect: 2.04}}
  - request: {{to: mgmt, method: POST, path: /rd}}
  - respond: 2.01
    location: /rd/1
""")
    whole, bare, log = tmp_path / "whole.pcapng", tmp_path / "bare.pcapng", tmp_path / "keys.log"
    assert api.call("run", scenario, "--pcap", whole).returncode == 0
    subprocess.run(["editcap", "--discard-all-secrets", whole, bare], check=True, timeout=60)
    lines = re.findall(rb"CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}", whole.read_bytes())
    assert lines
    blind = api.call("judge", bare)
    assert "nothing of it is decrypted: --keys names a file with keys" in blind.stderr
    log.write_bytes(b"# a key log, and no list of pre-shared keys\n" + b"\n".join(lines) + b"\n")
    client, said = judged(bare, "--keys", log)
    assert (client["broken"], said) == ([], "")
    done = api.call("from-capture", "--keys", log, bare, "-o", tmp_path / "b.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "b.yaml").read_text()
    assert f"transport: {transport}" in text and "delete: {path: /1, expect: 2.02}" in text and "finish: {expect: 2.04}" in text
    again = api.call("run", tmp_path / "b.yaml")
    assert again.returncode == 0, again.stdout
    replayed = api.call("replay", "--keys", log, bare, "--instance", 0)
    assert replayed.returncode == 0, replayed.stdout
    assert "reproduced: the replay shows what the capture shows" in replayed.stdout


# --- damage -----------------------------------------------------------------------------------------------------

def session(order="<"):
    """pcap, and pcapng of several kinds, of the same packets."""
    interfaces = [(ETHERNET, NANO), (RAW, MICRO)]
    return {"pcap": packed(BOOTSTRAP, ETHERNET, order), "pcapng": section(interfaces, spread(interfaces), order)}


def read_all(file):
    """Every command that reads captures, on a file of any kind: they end, in time, with a status of their own."""
    for command in (["decode"], ["judge", "--all"], ["from-capture", "--all", "-o", file.with_suffix(".yaml")]):
        begun = time.monotonic()
        done = api.call(*command, file, timeout=60, env={**os.environ, "PATH": ""})
        assert done.returncode in (0, 1, 2), (command, done.returncode, done.stderr[-2000:])
        assert done.returncode != 2 or done.stderr.startswith("bootjack"), done.stderr
        assert time.monotonic() - begun < 20
    for scenario in file.parent.glob("*.yaml"):
        checked = api.call("check", scenario)
        assert checked.returncode == 0, scenario.read_text() + checked.stderr
        scenario.unlink()
    return done


def ends_between_packets(data, length):
    """Whether a file that ends there has lost whole packets only."""
    return length in ends_of_blocks(data)


def ends_of_blocks(data):
    ends, at = set(), 24
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        at = 0
        while at < len(data):
            at += struct.unpack("<I", data[at + 4:at + 8])[0]
            ends.add(at)
        return ends
    while at < len(data):
        ends.add(at)
        at += 16 + struct.unpack("<I", data[at + 8:at + 12])[0]
    return ends | {len(data)}


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_file_that_ends_anywhere(tmp_path, kind):
    whole = session()[kind]
    around = {end + off for end in ends_of_blocks(whole) for off in (-9, -4, -1, 0, 1, 5, 8)}
    for length in sorted(length for length in around if 0 <= length <= len(whole)):
        (tmp_path / "a").write_bytes(whole[:length])
        done = read_all(tmp_path / "a")
        frames = done.stderr.count("damaged after frame")
        assert frames == 1 or length < 24 or ends_between_packets(whole, length), (length, done.stderr)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("seed", range(60))
def test_bits_that_flipped(tmp_path, kind, seed):
    dice = random.Random(seed)
    data = bytearray(session(dice.choice("<>"))[kind])
    for _ in range(dice.randint(1, 12)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    (tmp_path / "a").write_bytes(bytes(data) if dice.random() < .8 else gzip.compress(bytes(data)))
    read_all(tmp_path / "a")


def test_a_compressed_file_that_ends_in_the_middle(tmp_path):
    data = gzip.compress(session()["pcapng"] + bytes(random.Random(1).randbytes(4096)), 1)
    (tmp_path / "a").write_bytes(data[:len(data) // 2])
    done = read_all(tmp_path / "a")
    assert "damaged after frame" in done.stderr
