# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin, against a program that prints the verdict which the scenario's file name asks for: what is tested
here is the plugin's judgement and its words, not the harness."""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from harness.pytest_bootjack import api, conversation
from harness.tests import sample_results

FAKE = '''#!{python}
import json, pathlib, sys
sys.path.insert(0, {root!r})
from harness.tests import sample_results
path = pathlib.Path(sys.argv[2])
log = sample_results.good_log()
reasons = {{"pass": "", "fail": "expected 2.04, the client answered 4.06"}}
with open({calls!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
if path.stem == "broken":
    print(f"{{path}}:3:5: error: no such verb", file=sys.stderr)
    sys.exit(2)
line = 3 if path.stem != "pass" else 0
print(json.dumps(sample_results.result(path, path.stem, reasons.get(path.stem, "because of this"), line, 5, log.events)))
'''
VERDICTS = ("pass", "fail", "warn", "inconclusive", "skip", "xfail", "error")


@pytest.fixture
def house(tmp_path):
    """A folder with scenarios, one a verdict, and the program that gives it."""
    program = tmp_path / "bootjack"
    program.write_text(FAKE.format(python=sys.executable, root=str(api.ROOT), calls=str(tmp_path / "calls")))
    program.chmod(0o755)
    folder = tmp_path / "scenarios" / "topic"
    folder.mkdir(parents=True)
    (folder.parent / "rules.yaml").write_text("rules:\n  - {id: A-RULE, level: MUST, text: all}\n")
    for verdict in VERDICTS:
        (folder / f"{verdict}.yaml").write_text(f"title: The {verdict} one\nrules: [A-RULE]\nsteps:\n  - respond: 2.04\n")
    return tmp_path


def run_pytest(house, *arguments, program="bootjack"):
    command = [sys.executable, "-m", "pytest", "-p", "harness.pytest_bootjack.plugin", "-p", "no:cacheprovider",
               f"--rootdir={house}", "-rA", "--override-ini=addopts=", *map(str, arguments)]
    environment = {**os.environ, "BOOTJACK": str(house / program), "PYTHONPATH": str(api.ROOT), "COLUMNS": "200"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=120, check=False)


def calls(house):
    return [json.loads(line) for line in (house / "calls").read_text().splitlines()]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_every_verdict_has_its_outcome(house, workers):
    done = run_pytest(house, "scenarios", *workers)
    assert done.returncode == 1
    for line in ("PASSED scenarios/topic/pass.yaml::The pass one", "PASSED scenarios/topic/warn.yaml::The warn one",
                 "XFAIL scenarios/topic/xfail.yaml::The xfail one - reason: because of this",
                 "ERROR scenarios/topic/error.yaml::The error one",
                 "FAILED scenarios/topic/fail.yaml::The fail one - expected 2.04, the client answered 4.06"):
        assert line in done.stdout
    assert "ScenarioWarning" in done.stdout and "inconclusive: because of this" in done.stdout
    assert "1 failed, 2 passed, 2 skipped, 1 xfailed, 1 warning, 1 error" in done.stdout


def test_a_failure_shows_script_conversation_and_command(house):
    out = run_pytest(house, "scenarios/topic/fail.yaml", "--client", "exec:./device {bs_uri}", "--seed", "7").stdout
    assert ">    3 | steps:" in out and "     4 |   - respond: 2.04" in out
    assert "12.500000  client -> bs: CON POST /bs?ep=dev-1&pct=11542" in out
    assert "a line of the client's" in out
    assert out.split("reproduce:\n")[1].startswith("  bootjack run ")


def test_options_reach_the_program_and_the_canary_runs_once(house):
    run_pytest(house, "scenarios", "-k", "pass or warn or skip", "--client", "linked:./x.so", "--seed", "9")
    commands = calls(house)
    assert len(commands) == 3
    assert all("--client linked:./x.so" in " ".join(words) and "--seed 9" in " ".join(words) for words in commands)
    assert ["--no-canary" in words for words in commands] == [False, True, True]


def test_k_knows_rules(house):
    (house / "scenarios/topic/warn.yaml").write_text("title: Other\nsteps: []\n")
    assert "6 deselected" not in run_pytest(house, "scenarios", "-k", "A-RULE and not warn").stdout
    assert "1 passed, 6 deselected" in run_pytest(house, "scenarios", "-k", "not A-RULE").stdout


def test_junit_carries_the_run(house):
    run_pytest(house, "scenarios", "--junitxml", house / "out.xml")
    cases = xml.etree.ElementTree.parse(house / "out.xml").iter("testcase")
    properties = {case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")} for case in cases}
    assert properties["The warn one"]["verdict"] == "warn"
    assert properties["The pass one"]["virtual_seconds"] == "3612.507000"
    assert properties["The pass one"]["rules"] == "BS-REQUEST"


def test_an_unknown_rule_is_an_error(house):
    (house / "scenarios/topic/pass.yaml").write_text("title: T\nrules: [A-RULE, NO-SUCH]\nsteps: []\n")
    out = run_pytest(house, "scenarios/topic/pass.yaml").stdout
    assert "rules that rules.yaml does not know: NO-SUCH" in out and "1 error" in out


def test_a_missing_program_is_said_once(house):
    done = run_pytest(house, "scenarios", program="nowhere")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nowhere is not a program that can be run" in done.stderr


def test_a_file_that_cannot_be_loaded_is_an_error_with_the_programs_words(house):
    (house / "scenarios/topic/broken.yaml").write_text("title: [\n")
    out = run_pytest(house, "scenarios/topic/broken.yaml").stdout
    assert "broken.yaml:3:5: error: no such verb" in out and "1 error" in out


def test_only_scenarios_are_collected(house):
    (house / "other").mkdir()
    (house / "other" / "profile.yaml").write_text("name: x\n")
    (house / "scenarios" / "canary").mkdir()
    (house / "scenarios" / "canary" / "nonsense.yaml").write_text("title: Nonsense\nsteps: []\n")
    out = run_pytest(house, ".", "--collect-only", "-q").stdout
    assert "profile.yaml" not in out and "rules.yaml" not in out and "nonsense.yaml" not in out
    assert "7 tests collected" in out


def test_durations_read_well():
    texts = {250: "250us", 7_500: "7.5ms", 12_500_000: "12.5s", 185_000_000: "3min 5s", 3_600_000_000: "1h",
             86_400_000_000 + 7_200_000_000: "1d 2h", 0: "0us", 59_999_999: "60s", 247_001_000: "4min 7.001s"}
    assert {us: conversation.duration(us) for us in texts} == texts


def test_an_excerpt_marks_line_and_column():
    text = "\n".join(f"line {n}" for n in range(1, 20))
    rows = conversation.excerpt(text, 10, 3, around=1)
    assert rows == ["     9 | line 9", ">   10 | line 10", "       |   ^", "    11 | line 11"]
    assert conversation.excerpt(text, 0) == [] and conversation.excerpt(text, 21) == []


def test_the_conversation_tells_what_was_lost_and_refused():
    text = "\n".join(conversation.conversation(sample_results.good_log().events))
    for words in ("client asks for bs.example", "lost: fault: drop", "client -> bs: ACK 4.06", "port unreachable",
                  "client -> mgmt: CON POST /rd?ep=dev-1"):
        assert words in text
    assert conversation.conversation(sample_results.good_log().events, last=2)[0].strip().startswith("(")


def entry(number, raw, **more):
    return {"kind": "resource", "id": number, "hex": raw, **more}


def test_payloads_read_like_the_script():
    account = [entry(0, "636f61703a2f2f68", text="coap://h"), entry(1, "00", integer=0), entry(3, "6570", text="ep"),
               entry(5, "00" * 16), entry(10, "65", integer=101, text="e"), entry(4, "", text="")]
    assert conversation.coap_line(sample_results.con("PUT", "/0/1", format=11542, values=account)) == (
        'CON PUT /0/1 {0: coap://h, 1: 0, 3: <2 bytes>, 5: <16 bytes>, 10: 101, 4: ""}')
    servers = [{"kind": "instance", "id": 0, "entries": [entry(7, "55", integer=85, text="U")]}]
    assert conversation.coap_line(sample_results.con("PUT", "/1", values=servers)) == "CON PUT /1 {0: {7: U}}"
    links = [{"target": "/0/1", "attributes": {"ssid": "101", "hb": None}}, {"target": None, "attributes": {"x": "1"}}]
    assert conversation.coap_line(sample_results.ack("2.05", links=links)) == "ACK 2.05 </0/1>;ssid=101;hb,;x=1"
    assert conversation.coap_line(sample_results.ack("2.05", format=112, payload="80")) == "ACK 2.05 [112: 1 bytes]"
    assert conversation.coap_line({"fault": "too short"}) == "malformed: too short"


def test_on_a_real_network_what_reached_a_server_is_shown_once():
    log = sample_results.Log()
    ends = {"from": "127.0.0.1:5000", "to": "127.0.0.1:5683"}
    log.add("received", sample_results.BS, coap=sample_results.con("POST", "/bs"), raw="40", **ends)
    log.message(sample_results.BS, 1, sample_results.ack("2.04"))
    text = conversation.conversation(log.events)
    assert [line.split("  ")[-1] for line in text] == ["client -> bs: CON POST /bs", "bs -> client: ACK 2.04"]


def test_values_of_every_format_are_told():
    tlv = [{"kind": "resource", "id": 1, "hex": "3c", "integer": 60}]
    assert conversation.content({"path": "/1/0", "values": tlv}) == "{1: 60}"
    senml = [{"path": "/0/1/0", "type": "string", "value": "coap://h"}, {"path": "/0/1/1", "type": "boolean", "value": False},
             {"path": "/0/1/5", "type": "opaque", "value": "00ff"}]
    assert conversation.content({"path": "/0", "values": senml}) == \
        "{/0/1/0: coap://h, /0/1/1: false, /0/1/5: <credentials>}"
