# SPDX-License-Identifier: Apache-2.0
"""Captures of programs that none of us wrote, read by `bootjack decode` and, packet by packet, by tshark."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tshark_judge as judge  # noqa: E402  (beside this file, which is no package)

FOLDER = pathlib.Path(os.environ.get("BOOTJACK_CAPTURES") or api.ROOT.parent / "shared/captures")
CAPTURES = sorted(FOLDER.glob("*.pcap*"))
UNENCRYPTED = [path for path in CAPTURES if "dtls" not in path.name]

needs_captures = pytest.mark.skipif(not CAPTURES, reason=f"no captures in {FOLDER}: set BOOTJACK_CAPTURES")
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed (ci/setup)")


def run(*arguments):
    return api.call("decode", *arguments)


def capture(name):
    found = FOLDER / f"{name}.pcapng"
    if not found.exists():
        pytest.skip(f"{found} is not there")
    return found


@needs_captures
@needs_tshark
@pytest.mark.parametrize("path", CAPTURES, ids=[path.stem for path in CAPTURES])
def test_reads_what_tshark_reads(path):
    assert judge.compare(path, api.find_bootjack()) == []


@needs_captures
@pytest.mark.parametrize("path", CAPTURES, ids=[path.stem for path in CAPTURES])
def test_every_capture_holds_something(path):
    lines = judge.decode(path, api.find_bootjack())
    assert lines
    assert all("coap" in line or "encrypted" in line for line in lines)
    assert all("fault" not in line.get("coap", {}) for line in lines)
    text = run(path)
    assert text.returncode == 0
    assert len(text.stdout.splitlines()) == len(lines)


@needs_captures
def test_what_a_known_capture_says():
    lines = judge.decode(capture("coap-node-vs-wakaama-bs"), api.find_bootjack())
    request = lines[0]["coap"]
    assert (request["type"], request["method"], request["path"], request["query"]) == ("CON", "POST", "/bs", ["ep=cnode1"])
    write = lines[2]["coap"]
    assert (write["path"], write["format"]) == ("/0/1", 11542)
    assert [(value["id"], value.get("integer")) for value in write["values"]][1:] == [(1, 0), (10, 1), (2, 3)]
    assert write["values"][0]["text"] == "coap://127.0.0.1:5683"
    links = next(line["coap"]["links"] for line in lines if line["coap"].get("path") == "/rd")
    assert links[0] == {"target": "/", "attributes": {"ct": "11543", "hb": None}}


@needs_captures
def test_retransmissions_are_messages_like_any_other():
    lines = judge.decode(capture("wakaama-bootstrap-badguy"), api.find_bootjack())
    assert len(lines) == 5
    assert len({json.dumps(line["coap"]) for line in lines}) == 1
    times = [line["time"] - lines[0]["time"] for line in lines]
    assert times == pytest.approx([0, 2, 6, 14, 30], abs=0.1)


@needs_captures
def test_encrypted_packets_are_said_to_be_encrypted():
    text = run(capture("anjay-dtls-psk-refused")).stdout
    assert "encrypted: DTLS handshake" in text
    assert "encrypted: DTLS application data" in text


@needs_captures
def test_a_further_port_must_be_named(tmp_path):
    """A conversation in which nobody says `ep=` on ports that nobody knows: only --port finds it."""
    data = bytearray(capture("wakaama-bootstrap-badguy").read_bytes())
    moved = data.replace((5685).to_bytes(2, "big"), (7001).to_bytes(2, "big"))
    moved = moved.replace((56830).to_bytes(2, "big"), (7002).to_bytes(2, "big")).replace(b"ep=", b"xx=")
    path = tmp_path / "moved.pcapng"
    path.write_bytes(moved)
    silent = run(path)
    assert (silent.returncode, silent.stdout) == (0, "")
    assert "no CoAP found" in silent.stderr
    assert len(run("--port", 7001, path).stdout.splitlines()) == 5
    assert len(run("--port=7002", path).stdout.splitlines()) == 5


@needs_captures
@needs_tshark
@pytest.mark.parametrize("path", UNENCRYPTED, ids=[path.stem for path in UNENCRYPTED])
def test_pairs_what_tshark_pairs(path):
    """Which response answers which request: tshark's dissector keeps conversations, too. It does not ask who says it, so
    that tokens which both sides use at the same time are beyond it; and an empty ACK is none of its responses."""
    rows = subprocess.run(["tshark", "-n", "-r", path, "-d", "udp.port==5685,coap", "-Y", "coap.response_to && !icmp", "-T", "fields",
                           *(f"-e{field}" for field in ("coap.response_to", "frame.number", "coap.token"))],
                          capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    tokens = {(line["src"], line["coap"]["token"]) for line in judge.decode(path, api.find_bootjack())
              if line.get("coap", {}).get("method")}
    shared = {token for _, token in tokens if len({source for source, other in tokens if other == token}) > 1}
    theirs = {tuple(map(int, row.split("\t")[:2])) for row in rows if row.split("\t")[2].replace(":", "") not in shared}
    done = api.call("judge", "--json", "--all", path, timeout=60)
    ours = {tuple(pair) for line in done.stdout.splitlines() for pair in json.loads(line)["exchanges"]}
    assert theirs <= ours
    assert theirs or shared or not ours


@pytest.mark.parametrize("arguments, said", [
    ((), "a capture file is needed"),
    (("a", "b"), "more than one file"),
    (("--sideways", "a"), "unknown option --sideways"),
    (("--port", "0", "a"), "not a port: 0"),
    (("--port", "65536", "a"), "not a port: 65536"),
    (("--port",), "not a port: "),
])
def test_wrong_usage(arguments, said):
    done = run(*arguments)
    assert done.returncode == 64
    assert said in done.stderr
    assert done.stdout == ""


def test_files_that_are_no_captures(tmp_path):
    missing = run(tmp_path / "missing.pcapng")
    assert missing.returncode == 2
    assert "missing.pcapng: No such file or directory" in missing.stderr
    nonsense = tmp_path / "nonsense.pcapng"
    nonsense.write_text("title: this is a scenario\n")
    refused = run(nonsense)
    assert refused.returncode == 2
    assert "not a capture" in refused.stderr
    (tmp_path / "empty").write_bytes(b"")
    assert run(tmp_path / "empty").returncode == 2
    assert run(tmp_path).returncode == 2


@needs_captures
def test_a_capture_that_ends_in_the_middle(tmp_path):
    whole = capture("wakaama-bootstrap-ok").read_bytes()
    path = tmp_path / "cut.pcapng"
    path.write_bytes(whole[:len(whole) // 2])
    done = run(path)
    assert done.returncode == 2
    assert "damaged after frame" in done.stderr
    assert done.stdout.startswith("    1 ")  # what could be read is there


def test_help():
    done = run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: bootjack decode")
