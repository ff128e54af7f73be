# SPDX-License-Identifier: Apache-2.0
"""`bootjack judge`: rules that a client broke, by captures alone; and captures in which there is little to read."""
import gzip
import json
import pathlib
import struct
import sys

import pytest

from harness.pytest_bootjack import api

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pcap_file import (ACK, CON, COOKED, COOKED_2, ETHERNET, NON, NULL, RAW, coap, packed, path,  # noqa: E402
                       port_unreachable, query, udp, write)

CLIENT, BS, SERVER = ("192.0.2.1", 56830), ("192.0.2.10", 5685), ("192.0.2.20", 5683)
ASK = coap(CON, "0.02", 1, b"\1", path("/bs") + query("ep=dev-1"))


def run(*arguments):
    return api.call("judge", *arguments, timeout=60)


def judged(file, *arguments):
    done = run("--json", *arguments, file)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def broken(file, *arguments):
    return {found["rule"]: found["frame"] for client in judged(file, *arguments) for found in client["broken"]}


def to_bs(message, client=CLIENT):
    return udp(client, BS, message)


def to_client(message, server=BS):
    return udp(server, CLIENT, message)


def session(*commands, start=0.0):
    """A Bootstrap-Request that is accepted, and commands with their answers: (request, answer) of the server's requests."""
    packets = [(start, to_bs(ASK)), (start + 0.01, to_client(coap(ACK, "2.04", 1, b"\1")))]
    for number, (request, answer) in enumerate(commands):
        packets += [(start + 0.1 + number / 10, to_client(request)), (start + 0.15 + number / 10, to_bs(answer))]
    return packets


def delete(target, mid, code, copy=False):
    return coap(CON, "0.04", mid, b"\2", path(target)), coap(ACK, code, mid, b"\2")


def test_a_client_that_breaks_nothing(tmp_path):
    file = write(tmp_path / "a.pcap", session(delete("/0", 7, "2.02"), delete("/1", 8, "2.02")))
    done = run(file)
    assert done.returncode == 0
    assert "Delete /0 2.02, Delete /1 2.02" in done.stdout
    assert "no rule is broken" in done.stdout


@pytest.mark.parametrize("times, frame", [([0, 2.5, 7.5], None), ([0, 1, 3], 2), ([0, 2.5, 4.5], 3), ([0, 2.1, 6.3, 14.7, 31.5, 65.1], 6)])
def test_times_and_number_of_retransmissions(tmp_path, times, frame):
    file = write(tmp_path / "a.pcap", [(time, to_bs(ASK)) for time in times])
    assert broken(file).get("COAP-RETRANSMIT") == frame


def test_a_repetition_behind_the_answer_where_the_capture_is_the_clients(tmp_path):
    packets = [(0, to_bs(ASK)), (1, to_client(coap(ACK, "2.04", 1, b"\1"))), (2.5, to_bs(ASK))]
    file = write(tmp_path / "a.pcap", packets)
    assert broken(file, "--at-client") == {"COAP-RETRANSMIT": 3}
    assert broken(file) == {}  # the answer may have been lost behind the place of the capture


def test_a_duplicate_that_is_executed_twice(tmp_path):
    file = write(tmp_path / "a.pcap", session(delete("/0/1", 7, "2.02"), delete("/0/1", 7, "4.00")))
    assert broken(file) == {"COAP-DUPLICATE": 6}


def test_codes_and_the_frame_they_stand_in(tmp_path):
    file = write(tmp_path / "a.pcap", session(delete("/0", 7, "4.05")))
    assert broken(file) == {"BS-CODES": 4}
    assert run(file).returncode == 0  # a SHOULD
    assert "BROKEN  BS-CODES (SHOULD), frame 4, 0.150 s: DELETE /0 is answered with 4.05" in run(file).stdout


def test_a_secret_in_clear(tmp_path):
    key = b"0123456789abcdef"
    written = coap(CON, "0.03", 7, b"\2", path("/0/1") + [(12, struct.pack("!H", 11542))], b"\xc8\x05\x10" + key)
    shown = coap(ACK, "2.05", 8, b"\3", [(12, b"\x2a")], key)
    commands = [(written, coap(ACK, "2.04", 7, b"\2")), (coap(CON, "0.01", 8, b"\3", path("/0/1/5")), shown)]
    assert broken(write(tmp_path / "a.pcap", session(*commands)))["SEC-NO-SECRETS"] == 6


def test_a_second_bootstrap_account_and_the_instance_of_the_first(tmp_path):
    written = coap(CON, "0.03", 7, b"\2", path("/0/2") + [(12, struct.pack("!H", 11542))], b"\xc1\x01\x01")
    file = write(tmp_path / "a.pcap", session((written, coap(ACK, "2.04", 7, b"\2"))))
    assert broken(file) == {}  # it may have been its place
    assert "writes a bootstrap account to /0/2, and is accepted" in run(file).stdout
    assert broken(file, "--instance", 0) == {"BS-ONE-ACCOUNT": 4}
    links = coap(ACK, "2.05", 6, b"\3", [(12, b"\x28")], b"</0/0>,</1>,</3/0>")
    discover = coap(CON, "0.01", 6, b"\3", [(17, b"\x28")])
    file = write(tmp_path / "b.pcap", session((discover, links), (written, coap(ACK, "2.04", 7, b"\2"))))
    assert broken(file) == {"BS-ONE-ACCOUNT": 6}


def test_a_hold_off_that_is_known(tmp_path):
    finish = coap(CON, "0.02", 7, b"\2", path("/bs")), coap(ACK, "2.04", 7, b"\2")
    again = coap(CON, "0.02", 2, b"\4", path("/bs") + query("ep=dev-1"))
    file = write(tmp_path / "a.pcap", [*session(finish), (3, to_bs(again))])
    assert broken(file) == {}
    assert broken(file, "--holdoff", "10s") == {"BS-HOLDOFF": 5}
    assert "no Register; Bootstrap-Request 2.900 s after the last command" in run(file).stdout


def test_the_same_message_ids_and_tokens_in_both_directions(tmp_path):
    same = coap(CON, "0.04", 1, b"\1", path("/0")), coap(ACK, "2.02", 1, b"\1")
    file = write(tmp_path / "a.pcap", session(same))
    assert broken(file) == {}
    assert "both sides use the same Message IDs in opposite directions (1 is one)" in run(file).stdout


def test_non_confirmable_and_separate_answers(tmp_path):
    packets = [(0, to_bs(ASK)), (0.1, to_client(coap(ACK, "0.00", 1))), (0.5, to_client(coap(CON, "2.04", 90, b"\1"))),
               (0.6, to_bs(coap(ACK, "0.00", 90))), (0.7, to_client(coap(NON, "0.04", 91, b"\5", path("/0")))),
               (0.8, to_bs(coap(NON, "2.02", 5, b"\5")))]
    file = write(tmp_path / "a.pcap", packets)
    assert broken(file) == {}
    assert "Bootstrap-Request to 192.0.2.10:5685 ?ep=dev-1: 2.04" in run(file).stdout
    assert "commands are non-confirmable" in run(file).stdout


def test_a_closed_port(tmp_path):
    register = udp(CLIENT, SERVER, coap(CON, "0.02", 2, b"\2", path("/rd") + query("ep=dev-1")))
    file = write(tmp_path / "a.pcap", [(0, register), (0.1, port_unreachable(register))])
    assert "Register to 192.0.2.20:5683 ?ep=dev-1: port unreachable" in run(file).stdout


@pytest.mark.parametrize("link", [RAW, ETHERNET, COOKED, COOKED_2, NULL])
def test_link_types_and_gzip(tmp_path, link):
    data = packed(session(delete("/0", 7, "4.05")), link)
    (tmp_path / "a.pcap").write_bytes(data)
    (tmp_path / "a.pcap.gz").write_bytes(gzip.compress(data))
    assert broken(tmp_path / "a.pcap") == broken(tmp_path / "a.pcap.gz") == {"BS-CODES": 4}


def test_ipv6(tmp_path):
    client, bs = ("2001:db8::1", 56830), ("2001:db8::a", 5685)
    packets = [(time, udp(client, bs, ASK)) for time in (0, 1)]
    assert broken(write(tmp_path / "a.pcap", packets)) == {"COAP-RETRANSMIT": 2}


def test_several_clients(tmp_path):
    other = ("192.0.2.2", 56830)
    packets = [(0, to_bs(ASK)), (1, to_bs(coap(CON, "0.02", 9, b"\1", path("/bs") + query("ep=dev-2")), other)), (1.5, to_bs(ASK))]
    file = write(tmp_path / "a.pcap", packets)
    asked = run(file)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "2 clients; --client chooses one, --all takes all" in asked.stderr
    assert "192.0.2.2 (dev-2), Bootstrap-Server 192.0.2.10:5685: frames 2 to 2" in asked.stderr
    assert broken(file, "--client", "192.0.2.2") == {}
    assert broken(file, "--client", "dev-1") == broken(file, "--client=192.0.2.1:56830") == {"COAP-RETRANSMIT": 3}
    assert [client["endpoint"] for client in judged(file, "--all")] == ["dev-1", "dev-2"]
    nobody = run("--client", "192.0.2.77", file)
    assert nobody.returncode == 2
    assert "there is no client '192.0.2.77'; there are:" in nobody.stderr


def test_clients_of_one_name_on_one_address_at_the_same_time(tmp_path):
    """Told apart by Bootstrap-Server; one that goes from one to another stays one."""
    def asks(number, bs, port):
        return udp((CLIENT[0], port), (BS[0], bs), coap(CON, "0.02", number, b"\1", path("/bs") + query("ep=dev-1")))
    file = write(tmp_path / "a.pcap", [(time, asks(time, 5700 + time % 2, 40000 + time)) for time in range(6)])
    assert len(judged(file, "--all")) == 2
    file = write(tmp_path / "b.pcap", [(time, asks(time, 5700 + time // 3, 40000 + time)) for time in range(6)])
    assert len(judged(file, "--all")) == 1


def test_a_clock_that_runs_backwards(tmp_path):
    file = write(tmp_path / "a.pcap", [(100, to_bs(ASK)), (90, to_client(coap(ACK, "2.04", 1, b"\1")))])
    done = run(file)
    assert done.returncode == 0
    assert "the clock runs backwards at 1 frames, by 10.000000 s at most" in done.stderr


def test_a_file_that_ends_in_the_middle(tmp_path):
    data = packed(session(delete("/0", 7, "4.05"), delete("/1", 8, "2.02")))
    (tmp_path / "a.pcap").write_bytes(data[:-5])
    done = run(tmp_path / "a.pcap")
    assert "damaged after frame 5" in done.stderr and "what stands before it is used" in done.stderr
    assert "BROKEN  BS-CODES (SHOULD), frame 4" in done.stdout


def test_what_is_not_understood_is_said(tmp_path):
    strange = udp(("192.0.2.1", 123), ("192.0.2.9", 123), b"time")
    file = write(tmp_path / "a.pcap", [(0, to_bs(ASK)), (1, strange), (1.5, b"\x45")])
    said = run(file).stderr
    assert "1 frames are not read, the first is frame 2: UDP between ports that carry no CoAP" in said
    assert "1 frames are not read, the first is frame 3: an IP header that is cut off or damaged" in said


def test_nothing_to_judge(tmp_path):
    file = write(tmp_path / "a.pcap", [(1, udp(("192.0.2.1", 123), ("192.0.2.9", 123), b"time"))])
    done = run(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no CoAP found" in done.stderr
    wlan = run(write(tmp_path / "b.pcap", [(0, b"x")], link=105))
    assert wlan.returncode == 2
    assert "link type 105 (IEEE802_11) is not one of" in wlan.stderr


def test_until(tmp_path):
    file = write(tmp_path / "a.pcap", session(delete("/0", 7, "2.02"), delete("/1", 8, "4.05")))
    assert broken(file, "--until", 4) == {}
    assert broken(file, "--until", 6) == {"BS-CODES": 6}


@pytest.mark.parametrize("arguments, said", [
    ((), "a capture file is needed"),
    (("a", "b"), "more than one file"),
    (("--sideways", "a"), "unknown option --sideways"),
    (("--port", "0", "a"), "--port '0': expected a number"),
    (("--holdoff", "soon", "a"), "--holdoff 'soon': expected a duration"),
    (("--client",), "--client '': expected a value"),
])
def test_wrong_usage(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert said in done.stderr


def test_files_with_keys(tmp_path):
    capture = write(tmp_path / "a.pcap", [(0, to_bs(ASK))])
    keys = tmp_path / "keys"
    for text, said in [("dev-1:xyz\n", "keys:1: expected IDENTITY:KEY"), ("a:00\n\nb:0\n", "keys:3: expected IDENTITY:KEY")]:
        keys.write_text(text)
        done = run("--keys", keys, capture)
        assert done.returncode == 2
        assert said in done.stderr
    assert "No such file" in run("--keys", tmp_path / "missing", capture).stderr
    folder = run("--keys", tmp_path, capture)
    assert folder.returncode == 2 and "Is a directory" in folder.stderr
