# SPDX-License-Identifier: Apache-2.0
"""`bootjack from-capture` and `bootjack replay`: captures become scenarios, and these run; what a defective client did is
seen again with that client, and not with a good one."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from harness.pytest_bootjack import api
from harness.teeth import tree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pcap_file import ACK, CON, NON, coap, path, port_unreachable, query, udp, write  # noqa: E402

CLIENT, BS, SERVER = ("192.0.2.50", 56830), ("192.0.2.60", 5685), ("192.0.2.70", 5683)
TLV = [(12, b"\x2d\x16")]
URI = b"coap://192.0.2.70:5683"
SECURITY = b"\xc8\x00" + bytes([len(URI)]) + URI + b"\xc1\x01\x00\xc1\x02\x03\xc1\x0a\x65"
ACCOUNT = b"\xc1\x00\x65\xc2\x01\x01\x2c\xc1\x06\x00\xc1\x07U"
ASK = coap(CON, "0.02", 1, b"\1", path("/bs") + query("ep=dev-1"))


def run(*arguments, program=None, planted=None):
    return api.call(*arguments, program=program, env={**os.environ, **({tree.SWITCH: planted} if planted else {})})


def converted(file, *arguments):
    """The scenario of a capture: as it is read, and as text."""
    done = run("from-capture", *arguments, file)
    assert done.returncode == 0, done.stderr
    out = file.with_suffix(".yaml")
    out.write_text(done.stdout)
    assert run("check", out).returncode == 0, run("check", out).stderr
    return yaml.safe_load(done.stdout.replace("!hex", "")), done.stdout


def verbs(scenario):
    return [next(key for key in step if key not in ("expect", "at", "tlv", "values", "format", "location", "server", "block",
                                                    "hex", "type"))
            for step in scenario["steps"]]


def exchange(time, request, answer, later=0.001):
    """A request of the Bootstrap-Server and the client's answer."""
    return [(time, udp(BS, CLIENT, request)), (time + later, udp(CLIENT, BS, answer))]


def begin():
    return [(0, udp(CLIENT, BS, ASK)), (0.001, udp(BS, CLIENT, coap(ACK, "2.04", 1, b"\1")))]


def good_session(kind=CON):
    answer = ACK if kind == CON else NON
    return [*begin(),
            *exchange(0.01, coap(kind, "0.03", 2, b"\2", path("/0/1") + TLV, SECURITY), coap(answer, "2.04", 2, b"\2")),
            *exchange(0.02, coap(kind, "0.03", 3, b"\3", path("/1/0") + TLV, ACCOUNT), coap(answer, "2.04", 3, b"\3")),
            *exchange(0.03, coap(kind, "0.02", 4, b"\4", path("/bs")), coap(answer, "2.04", 4, b"\4")),
            (0.04, udp(CLIENT, SERVER, coap(CON, "0.02", 5, b"\5", path("/rd") + query("ep=dev-1", "lt=300", "lwm2m=1.1")))),
            (0.3, udp(SERVER, CLIENT, coap(ACK, "2.01", 5, b"\5", [(8, b"rd"), (8, b"7")])))]


def test_a_good_session_reads_like_one_that_somebody_wrote(tmp_path):
    scenario, text = converted(write(tmp_path / "a.pcap", good_session()))
    assert verbs(scenario) == ["request", "respond", "write", "write", "finish", "request", "respond"]
    assert scenario["client"]["endpoint"] == "dev-1"
    assert scenario["client"]["bootstrap"]["uri"] == "coap://192.0.2.60:5685"
    written = scenario["steps"][2]
    assert written["tlv"] == {0: "coap://192.0.2.70:5683", 1: False, 2: 3, 10: 101}
    assert written["expect"] == 2.04
    assert scenario["steps"][5]["request"] == {"to": "mgmt", "method": "POST", "path": "/rd",
                                               "query": {"ep": "dev-1", "lt": "300"}}
    assert scenario["steps"][6]["respond"] == {"code": 2.01, "after": "259ms", "location": "/rd/7"}
    assert "  # frames 3 and 4, 0.010 s\n" in text
    assert "# Assumed:\n" in text and "the hold-off is not to be seen" in text
    assert run("run", tmp_path / "a.yaml").returncode == 0


def test_non_confirmable_commands(tmp_path):
    scenario, _ = converted(write(tmp_path / "a.pcap", good_session(NON)))
    assert [step.get("type") for step in scenario["steps"][2:4]] == ["NON", "NON"]


def test_blocks_are_one_write(tmp_path):
    parts = [SECURITY[at:at + 16] for at in range(0, len(SECURITY), 16)]
    packets = begin()
    for number, part in enumerate(parts):
        more = number + 1 < len(parts)
        block = [(27, bytes([number << 4 | more << 3]) if number or more else b"")]
        packets += exchange(1 + number, coap(CON, "0.03", 20 + number, bytes([number]), path("/0/1") + TLV + block, part),
                            coap(ACK, "2.31" if more else "2.04", 20 + number, bytes([number]), block))
    scenario, text = converted(write(tmp_path / "a.pcap", packets))
    assert verbs(scenario) == ["request", "respond", "write"]
    assert scenario["steps"][2]["block"] == 16 and scenario["steps"][2]["tlv"][10] == 101
    assert f"in blocks, up to frame {1 + 2 * len(parts)}" in text


def test_what_was_lost_is_lost_again(tmp_path):
    request, answer = coap(CON, "0.04", 2, b"\2", path("/0")), coap(ACK, "2.02", 2, b"\2")
    packets = [*begin(), (0.01, udp(BS, CLIENT, request)), *exchange(2.5, request, answer)]
    scenario, text = converted(write(tmp_path / "a.pcap", packets))
    assert verbs(scenario) == ["request", "respond", "fault", "delete"]
    assert "what a server had to repeat until it was answered was lost on its way (frame 3)" in text


def test_a_repetition_is_a_step_and_another_answer_is_said(tmp_path):
    request = coap(CON, "0.04", 2, b"\2", path("/0/1"))
    packets = [*begin(), *exchange(0.01, request, coap(ACK, "2.02", 2, b"\2")),
               *exchange(0.02, request, coap(ACK, "4.04", 2, b"\2"))]
    file = write(tmp_path / "a.pcap", packets)
    scenario, _ = converted(file)
    assert scenario["steps"][3]["again"] == {"server": "bs", "expect": 4.04}
    done = run("replay", file)
    assert done.returncode == 1
    assert "   ~     0.021  client > bs: 4.04" in done.stdout
    assert "judged: the captured client breaks COAP-DUPLICATE (SHOULD) in frame 6" in done.stdout


def test_separate_answers_and_requests_without_any(tmp_path):
    packets = [(0, udp(CLIENT, BS, ASK)), (2.5, udp(CLIENT, BS, ASK)), (2.6, udp(BS, CLIENT, coap(ACK, "0.00", 1))),
               (5, udp(BS, CLIENT, coap(CON, "2.04", 9, b"\1"))), (5.001, udp(CLIENT, BS, coap(ACK, "0.00", 9)))]
    scenario, _ = converted(write(tmp_path / "a.pcap", packets))
    assert scenario["steps"][-1]["respond"] == {"code": 2.04, "separate": True, "after": "2s400ms"}
    assert {"retransmission": 1} in scenario["steps"]
    scenario, _ = converted(write(tmp_path / "b.pcap", packets[:2]))
    assert verbs(scenario) == ["request", "ignore", "retransmission"]


def test_a_closed_port(tmp_path):
    register = udp(CLIENT, SERVER, coap(CON, "0.02", 5, b"\5", path("/rd") + query("ep=dev-1", "lt=300")))
    file = write(tmp_path / "a.pcap", [*good_session()[:-2], (0.04, register), (0.041, port_unreachable(register))])
    scenario, _ = converted(file)
    assert scenario["servers"]["mgmt"]["state"] == "closed"
    assert scenario["steps"][-1] == {"departure": {"to": "mgmt", "method": "POST"}}
    assert run("run", tmp_path / "a.yaml").returncode == 0


def test_bytes_that_nothing_else_says(tmp_path):
    scenario, text = converted(write(tmp_path / "a.pcap", [*begin(), (0.5, udp(BS, CLIENT, b"\x40\x09"))]))
    assert scenario["steps"][-1]["raw"]["hex"] == "4009"
    assert "1 messages are raw bytes" in text


def test_values_that_would_not_be_written_so_stay_bytes(tmp_path):
    """A number in four bytes where one is enough: the same value, and what the client had to read is another thing."""
    wide = b"\xc4\x02\x00\x00\x00\x03"
    packets = [*begin(), *exchange(1, coap(CON, "0.03", 2, b"\2", path("/0/1") + TLV, wide), coap(ACK, "2.04", 2, b"\2"))]
    scenario, _ = converted(write(tmp_path / "a.pcap", packets))
    assert scenario["steps"][2]["write"]["hex"] == wide.hex()


def test_addresses_of_the_loopback_interface_are_moved(tmp_path):
    local = [("127.0.0.1", port) for port in (56830, 5685)]
    uri = b"coap://127.0.0.1:5683"
    packets = [(0, udp(*local, ASK)), (0.001, udp(*local[::-1], coap(ACK, "2.04", 1, b"\1"))),
               (0.01, udp(*local[::-1], coap(CON, "0.03", 2, b"\2", path("/0/1") + TLV, b"\xc8\x00" + bytes([len(uri)]) + uri))),
               (0.02, udp(*local, coap(ACK, "2.04", 2, b"\2")))]
    scenario, text = converted(write(tmp_path / "a.pcap", packets))
    assert scenario["client"]["bootstrap"]["uri"] == "coap://192.0.2.110:5685"
    assert scenario["steps"][2]["tlv"] == {0: "coap://192.0.2.110:5683"}
    assert "addresses that the simulated world keeps for the client are others here" in text


def test_loose_leaves_the_times_out(tmp_path):
    file = write(tmp_path / "a.pcap", good_session())
    strict, loose = converted(file)[1], converted(file, "--loose")[1]
    assert "after: 259ms" in strict and "after" not in loose


def test_until_and_all(tmp_path):
    file = write(tmp_path / "a.pcap", good_session())
    assert verbs(converted(file, "--until", 4)[0]) == ["request", "respond", "write"]
    other = [(t + 0.5, udp(("192.0.2.51", 56830), BS, coap(CON, "0.02", 7, b"\1", path("/bs") + query("ep=dev-2")))) for t in (0, 2.5)]
    file = write(tmp_path / "b.pcap", [*begin(), *other])
    assert run("from-capture", file).returncode == 2
    assert run("from-capture", "--all", file, "-o", tmp_path / "c.yaml").returncode == 0
    assert "endpoint: dev-1" in (tmp_path / "c.yaml").read_text()
    assert "endpoint: dev-2" in (tmp_path / "c-2.yaml").read_text()


def test_seeds_for_fuzzers(tmp_path):
    """The whole session and windows of it, in the byte form that the fuzzers' targets read."""
    reads = [(time + number, packet) for number in range(6)
             for time, packet in exchange(1, coap(CON, "0.01", 40 + number, bytes([number]), path("/1/0")),
                                          coap(ACK, "4.00", 40 + number, bytes([number])))]
    file = write(tmp_path / "a.pcap", [*good_session(), *reads])
    assert run("from-capture", "--corpus", tmp_path / "seeds", file).returncode == 0
    names = sorted(seed.name for seed in (tmp_path / "seeds").iterdir())
    assert names[-1] == "a.pcap-1-whole" and "a.pcap-1-from-5" in names
    shown = run("program", "--bytes", tmp_path / "seeds/a.pcap-1-whole")
    assert "finish: {expect: 2.04}" in shown.stdout, shown.stderr


def test_the_same_client_gives_the_same_conversation(tmp_path):
    run("run", api.ROOT / "scenarios/good/first-bootstrap.yaml", "--pcap", tmp_path / "a.pcapng")
    done = run("replay", tmp_path / "a.pcapng", "--pcap", tmp_path / "b.pcapng", "--repeat", 3)
    assert done.returncode == 0, done.stdout
    assert "reproduced: the replay shows what the capture shows" in done.stdout
    assert "with faults, 3 runs: 0 crashed" in done.stdout
    assert (tmp_path / "b.pcapng").stat().st_size > 500


def test_a_capture_of_a_run_says_what_no_packet_shows(tmp_path):
    """What the client was given, and that its power went; a stranger's capture does not."""
    file = tmp_path / "a.pcapng"
    run("run", api.ROOT / "scenarios/life/registers-after-a-power-cut.yaml", "--pcap", file)
    scenario, _ = converted(file)
    assert "state" in scenario["client"] and {"power-cut", "start"} <= set(verbs(scenario))
    scenario, text = converted(file, "--packets-only")
    assert "state" not in scenario["client"] and not {"power-cut", "start"} & set(verbs(scenario))
    assert "the hold-off is not to be seen" in text


def test_what_a_capture_says_of_its_run_may_be_anything(tmp_path):
    """It comes from anywhere: a comment that is damaged gives another scenario, or none, and no harm."""
    file = tmp_path / "a.pcapng"
    run("run", api.ROOT / "scenarios/life/registers-after-a-power-cut.yaml", "--pcap", file)
    whole = file.read_bytes()
    header = int.from_bytes(whole[4:8], sys.byteorder)
    assert b"bootjack-given" in whole[:header] and b"bootjack-step" in whole[:header]
    for at in range(28, header, 41):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        assert run("from-capture", file).returncode in (0, 2)


def test_all_clients_of_a_capture(tmp_path):
    """One after the other; files for the second have a number."""
    other = ("192.0.2.51", 56830)
    asks = [(time + 20, udp(other, BS, coap(CON, "0.02", 7, b"\1", path("/bs") + query("ep=dev-2")))) for time in (0, 2, 6)]
    file = write(tmp_path / "a.pcap", [*good_session(), *asks])
    done = run("replay", "--all", file, "--pcap", tmp_path / "b.pcapng", "--report", tmp_path / "report")
    assert done.returncode in (0, 1), done.stderr
    assert "client 192.0.2.50 (dev-1), Bootstrap-Server 192.0.2.60:5685\n" in done.stdout
    assert "\n\nclient 192.0.2.51 (dev-2), Bootstrap-Server 192.0.2.60:5685\n" in done.stdout
    assert (tmp_path / "b.pcapng").exists() and (tmp_path / "b-2.pcapng").exists()
    assert (tmp_path / "report/index.html").exists() and (tmp_path / "report-2/index.html").exists()


def test_a_name_that_is_no_text(tmp_path):
    """It is told in a way that can be read, and the scenario can be loaded and played."""
    asks = [(time, udp(CLIENT, BS, coap(CON, "0.02", 1, b"\1", path("/bs") + [(15, b"ep=d\xbd\x1bv")]))) for time in (0, 2.5)]
    file = write(tmp_path / "a.pcap", asks)
    assert "(d\\xbd\\x1bv)" in run("judge", file).stdout
    assert "ep=d\\xbd" in run("decode", file).stdout
    done = run("from-capture", file, "-o", tmp_path / "a.yaml")
    assert done.returncode == 0 and run("check", tmp_path / "a.yaml").returncode == 0
    assert 'endpoint: !bytes "64bd1b76"' in (tmp_path / "a.yaml").read_text()


def test_a_hold_off_that_grows(tmp_path):
    """The second time is twice the first: the hold-off is half the first, and the longest is its cap."""
    packets, now = [], 0.0
    for number, wait in enumerate([2.1, 4.2, 8.4, 16.9, 20, 0]):
        ask = coap(CON, "0.02", 1 + number, b"\1", path("/bs") + query("ep=dev-1"))
        packets += [(now, udp(CLIENT, BS, ask)), (now + 0.001, udp(BS, CLIENT, coap(ACK, "4.00", 1 + number, b"\1")))]
        now += 0.001 + wait
    file = write(tmp_path / "a.pcap", packets)
    scenario, text = converted(file)
    assert scenario["client"]["bootstrap"]["holdoff"] == "1s" and scenario["client"]["holdoff-cap"] == "20s"
    assert "it doubles, up to the longest of them" in text
    assert run("replay", file).returncode == 0


def test_answers_that_cross(tmp_path):
    """Each names the request that it answers."""
    other = ("192.0.2.71", 5683)
    first, second = (coap(CON, "0.02", mid, bytes([mid]), path("/rd") + query("ep=dev-1", "lt=300")) for mid in (5, 6))
    packets = [(0, udp(CLIENT, SERVER, first)), (0.1, udp(CLIENT, other, second)),
               (0.2, udp(SERVER, CLIENT, coap(ACK, "2.01", 5, b"\5", [(8, b"rd"), (8, b"a")]))),
               (0.3, udp(other, CLIENT, coap(ACK, "2.01", 6, b"\6", [(8, b"rd"), (8, b"b")])))]
    scenario, _ = converted(write(tmp_path / "a.pcap", packets))
    assert [step.get("request", step.get("respond")).get("capture") for step in scenario["steps"][:2]] == ["r1", "r2"]
    assert [(step["respond"]["to"], step["respond"]["location"]) for step in scenario["steps"][2:]] == [("r1", "/rd/a"), ("r2", "/rd/b")]


def attempts(*waits):
    """Bootstrap-Requests that are refused, with these times between a refusal and the next."""
    packets, now = [], 0.0
    for number, wait in enumerate([*waits, 0]):
        ask = coap(CON, "0.02", 1 + number, b"\1", path("/bs") + query("ep=dev-1"))
        packets += [(now, udp(CLIENT, BS, ask)), (now + 0.001, udp(BS, CLIENT, coap(ACK, "4.00", 1 + number, b"\1")))]
        now += 0.001 + wait
    return packets


@pytest.mark.parametrize("wait, name", [(12.9, "a client draws its hold-off (jitter)"),
                                        (58, "the captured client's hold-off is not known (--holdoff tells it)")])
def test_another_time_has_a_name(wait, name, tmp_path):
    """What a client draws is no bug, and no reproduction: both are lawful, and the outcome says why."""
    done = run("replay", write(tmp_path / "a.pcap", attempts(10, wait, 10)))
    assert done.returncode == 1
    assert f"judged: differs, both lawful as far as the oracles see: {name}; captured {wait:.3f} s" in done.stdout


def test_a_report_with_two_charts(tmp_path):
    file = write(tmp_path / "a.pcap", good_session())
    run("replay", file, "--report", tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text()
    assert page.count("<svg class=\"chart\"") == 2 and "Captured" in page and "Replayed" in page


def test_the_first_difference_is_marked_in_the_report(tmp_path):
    """In the table and in both charts, in the middle of a long conversation, too; and it says what it comes to."""
    request = coap(CON, "0.04", 2, b"\2", path("/1"))
    deletes = [packet for number in range(300)
               for packet in exchange(1 + number / 100, coap(CON, "0.04", 100 + number, b"\3", path("/1")),
                                      coap(ACK, "2.02", 100 + number, b"\3"))]
    packets = [*begin(), *deletes[:300], *exchange(2.493, request, coap(ACK, "2.02", 2, b"\2")),
               *exchange(2.496, request, coap(ACK, "4.04", 2, b"\2")), *deletes[300:]]
    done = run("replay", write(tmp_path / "a.pcap", packets), "--report", tmp_path / "report")
    assert done.returncode == 1 and "1 passed" not in done.stdout and "bootjack run" not in done.stdout
    page = (tmp_path / "report/index.html").read_text()
    assert page.count(">⇒ differs<") == 2 and page.count("<tr class=\"first other\" id=\"first\">") == 1
    assert len(re.findall(r'class="note"[^>]*>\d+ rows', page)) == 4, "before what is marked, and behind it"
    assert "judged: the captured client breaks COAP-DUPLICATE (SHOULD)" in page
    assert "bootjack replay" in page.rsplit("<pre", 1)[1]
    comparison = json.loads((tmp_path / "report/comparison.json").read_text())
    first = comparison["rows"][comparison["first"]]
    assert first["mark"] == "~" and first["captured"]["text"] == "client > bs: 4.04"


def test_a_report_where_only_one_side_has_the_first_difference(tmp_path):
    done = run("replay", write(tmp_path / "a.pcap", good_session()[:-1]), "--report", tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text()
    assert done.returncode == 1 and page.count("id=\"first\"") == 1


@pytest.mark.parametrize("command", ["from-capture", "replay"])
def test_wrong_usage(command, tmp_path):
    assert run(command).returncode == 64
    assert run(command, "--sideways", "a").returncode == 64
    assert run(command, tmp_path / "missing.pcap").returncode == 2
    assert run(command, "--help").stdout.startswith(f"usage: bootjack {command}")


@pytest.fixture(scope="module")
def defective():
    """The program with all planted defects in it, of which the environment switches one on."""
    done = subprocess.run([sys.executable, "-m", "harness.teeth", "--build"], cwd=api.ROOT, capture_output=True, text=True,
                          check=False, timeout=3600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return tree.PROGRAM


@pytest.mark.parametrize("defect, scenario, rule", [
    ("delete-takes-the-account", "delete/everything.yaml", "BS-DELETE-SURVIVORS"),
    ("two-accounts", "single-account/second-account-refused.yaml", "BS-ONE-ACCOUNT"),
    ("duplicates-are-executed", "field-bugs/answer-to-finish-lost.yaml::2s", "COAP-DUPLICATE"),
])
def test_a_field_bug_from_its_capture_alone(defective, defect, scenario, rule, tmp_path):
    """The device that failed, and all there is is a capture: it is seen again with that client, and not with a good one."""
    file = tmp_path / "field.pcapng"
    run("run", api.ROOT / "scenarios" / scenario, "--pcap", file, program=defective, planted=defect)
    again = run("replay", file, "--instance", 0, program=defective, planted=defect)
    assert again.returncode == 0, again.stdout
    assert f"the captured client breaks {rule} (" in again.stdout
    good = run("replay", file, "--instance", 0)
    assert good.returncode == 1, good.stdout
    assert f"judged: the captured client breaks {rule} (" in good.stdout


@pytest.fixture(name="bootstrap_of_ours", scope="module")
def a_capture_of_our_own_client(tmp_path_factory):
    capture = tmp_path_factory.mktemp("ours") / "ours.pcapng"
    assert run("run", api.ROOT / "scenarios/good/first-bootstrap.yaml", "--pcap", capture).returncode == 0
    return capture


def test_a_replay_that_is_repeated_for_long(bootstrap_of_ours):
    """What a run needs is given back behind it."""
    done = run("replay", "--repeat", "3000", bootstrap_of_ours)
    assert done.returncode == 0, done.stderr
    assert "with faults, 3000 runs: 0 crashed\n" in done.stdout


def test_a_repeated_replay_that_is_interrupted_does_not_pass(bootstrap_of_ours):
    """It says how many runs there were."""
    command = [str(api.find_bootjack()), "replay", "--repeat", "10000", str(bootstrap_of_ours)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=20)
    assert running.returncode == 2
    assert errors == "bootjack: interrupted by signal 2\n"
    assert "10000 runs" not in out
