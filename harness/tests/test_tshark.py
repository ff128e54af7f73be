# SPDX-License-Identifier: Apache-2.0
"""tshark, which shares no code with us, reads the captures of the whole suite: of every packet it must see the type,
code, Message ID, token, options and TLV that our own decoder sees, and nothing malformed but what a script breaks on
purpose, which carries a comment."""
import ipaddress
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api, plugin

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tshark_judge as judge  # noqa: E402  (beside this file, which is no package)

TOPICS = sorted({path.parent.name for path in (api.ROOT / "scenarios").glob("*/*.yaml") if plugin.has_key(path, "steps")} -
                {"canary", "out-of-scope"})
ENHANCED_PACKET = 6  # a block of pcapng

pytestmark = [pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (ci/setup)")
              for program in ("tshark", "mergecap", "editcap")]


@pytest.fixture(scope="module", params=TOPICS)
def topic(request, tmp_path_factory):
    """The scenarios of a topic, and one capture of all of their packets."""
    folder = tmp_path_factory.mktemp("captures")
    results = api.run_scenarios([api.ROOT / "scenarios" / request.param], "linked", events=True,
                                options=["--pcap", folder, "-j", str(os.cpu_count())])
    results = [result for result in results if result.capture]
    merged = folder / "all.pcapng"
    subprocess.run(["mergecap", "-a", "-w", merged, *(result.capture for result in results)], check=True, timeout=120)
    return results, merged


def frames(capture, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", capture, "-T", "fields", "-e", "frame.number", "-e", "frame.comment",
                           *arguments], capture_output=True, text=True, timeout=300, check=True)
    return done.stdout.splitlines()


def undisclosed(capture):
    """The capture without the secrets that tshark would decrypt records with: what is compared are datagrams."""
    copy = f"{capture}.undisclosed"
    subprocess.run(["editcap", "--discard-all-secrets", capture, copy], check=True, timeout=120)
    return copy


def port(end):
    return end.rsplit(":", 1)[1]


def clients_of(result):
    """The addresses that the client sent from."""
    return {ipaddress.ip_address(event["from"].rsplit(":", 1)[0].strip("[]")).packed
            for event in result.of_kind("sent", "stream-open") if event["actor"] == 1}


def ports_of(result):
    """The servers' ports at which datagrams came and went in clear, and behind DTLS."""
    found = {False: set(), True: set()}
    for event in result.of_kind("sent"):
        found["encrypted" in event["coap"]].add(port(event["to" if event["actor"] == 1 else "from"]))
    return found[False], found[True]


def batches(results):
    """Results whose captures can be read as one: a port is that of CoAP or that of DTLS, for a program is told of ports."""
    found = []
    for result in results:
        clear, secure = ports_of(result)
        for batch in found:
            if not (batch["clear"] | clear) & (batch["secure"] | secure):
                break
        else:
            batch = {"results": [], "clear": set(), "secure": set()}
            found.append(batch)
        batch["results"].append(result)
        batch["clear"] |= clear
        batch["secure"] |= secure
    return found


def moved(capture, clients, distance):
    """
    The capture in a network of its own: connections of several runs between the same ports are told apart by their hosts.
    The clients' addresses grow by as much as those of the others shrink, so that all checksums stay true.
    """
    data = bytearray(capture.read_bytes())
    block = 0
    while block < len(data):
        kind, length = struct.unpack_from("<II", data, block)
        if kind == ENHANCED_PACKET:
            packet = block + 28
            first, size = (packet + 12, 4) if data[packet] >> 4 == 4 else (packet + 8, 16)
            for address in (first, first + size):
                word, = struct.unpack_from(">H", data, address)
                sign = 1 if bytes(data[address:address + size]) in clients else -1
                struct.pack_into(">H", data, address, word + sign * distance)
        block += length
    copy = capture.with_suffix(".moved")
    copy.write_bytes(data)
    return copy


def test_tshark_sees_what_we_see(topic):
    """In few captures, for what costs time is to start tshark."""
    results, merged = topic
    # A run in which nothing is sent (a client that does not start) leaves an empty capture.
    said = [result for result in results if result.of_kind("sent", "stream-open")]
    for count, batch in enumerate(batches(said)):
        together = merged.with_suffix(f".{count}")
        parts = [moved(pathlib.Path(result.capture), clients_of(result), distance)
                 for distance, result in enumerate(batch["results"], 1)]
        subprocess.run(["mergecap", "-a", "-w", together, *parts], check=True, timeout=120)
        options = [f"--port={number}" for number in sorted(batch["clear"])]
        assert judge.complaints(undisclosed(together), api.find_bootjack(), options) == [], together


def test_every_datagram_is_there(topic):
    results, merged = topic
    sent = sum(len(result.of_kind("sent")) for result in results)
    streams = sum(len(result.of_kind("stream-sent")) for result in results)
    assert len(frames(merged, "-Y", "udp && !icmp && !icmpv6")) == sent
    assert sent + streams > 0


def test_our_client_sends_nothing_broken(topic):
    results, merged = topic
    assert [row for row in frames(merged) if "not well-formed" in row] == []
    assert [e["seq"] for r in results for e in r.of_kind("sent", "plain-sent", "stream-sent")
            if e["actor"] == 1 and e["coap"].get("fault")] == []


def test_what_is_broken_on_purpose_says_so(topic):
    results, merged = topic
    broken = sum(bool(event["coap"].get("fault")) for result in results for event in result.of_kind("sent"))
    assert sum(bool(re.search("broken on purpose", row)) for row in frames(merged)) >= broken
