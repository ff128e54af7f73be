# SPDX-License-Identifier: Apache-2.0
"""Standard input that the script types at, and what a client writes, with the world's times: under the preload library
and over the network."""
import subprocess

import pytest
import yaml

from harness.pytest_bootjack import api

HOW = ["select", "poll", "epoll", "read", "fgets", "thread"]
GET = {"to": "bs", "method": "GET"}
SCENARIO = {
    "title": "A client is told",
    "recovery": {"off": "the client does nothing by itself"},
    "steps": [{"advance": "5s"}, {"input": "one"}, {"request": {**GET, "path": "/one", "within": "1s"}}, {"ignore": {}},
              {"advance": "1h"}, {"input": {"command": "second"}}, {"request": {**GET, "path": "/two", "within": "1s"}},
              {"ignore": {}}, {"input": {"end": True}}, {"request": {**GET, "path": "/end", "within": "1s"}}, {"exit": 7}],
}


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    program = tmp_path_factory.mktemp("console") / "console"
    source = api.ROOT / "harness/tests/programs/console.c"
    subprocess.run(["cc", "-O1", "-o", program, source, "-pthread"], check=True, capture_output=True)
    return program


@pytest.fixture
def play(console, tmp_path):
    """Plays steps against the client that waits in that way."""

    def go(how, steps=None, attach="exec", limit=60, **profile):
        scenario, client = tmp_path / "scenario.yaml", tmp_path / "console.yaml"
        scenario.write_text(yaml.safe_dump({**SCENARIO, "steps": steps or SCENARIO["steps"]}, sort_keys=False))
        client.write_text(yaml.safe_dump({"name": "console", "attach": attach, "commands": {"second": "two"},
                                          "command": [str(console), "{bs_host}", "{bs_port}", how], **profile}))
        return api.run_scenario(scenario, client=str(client), options=["--no-canary", "--limit", str(limit)])

    return go


def said(result, descriptor=1):
    return [(line.get("t"), line["text"]) for line in result.output if line["descriptor"] == descriptor]


@pytest.mark.parametrize("how", HOW)
def test_what_is_typed_is_read_at_its_virtual_time(how, play):
    result = play(how)
    assert result.verdict == "pass", result.reason
    sent = [event["t"] for event in result.events if event["kind"] == "sent" and event["actor"] == 1]
    typed = [event["t"] for event in result.events if event["kind"] == "client-input"]
    assert sent == typed and float(sent[0]) == pytest.approx(5, abs=0.01) and float(sent[1]) == pytest.approx(3605, abs=0.1)


def test_what_it_writes_has_virtual_times(play):
    result = play("poll")
    lines = said(result)
    assert [text for _, text in lines] == ["listening", "told: one", "told: two", "told: end"]
    assert [round(time) for time, _ in lines] == [0, 5, 3605, 3605]
    assert [text for _, text in said(result, 2)] == ["no newline"]
    logged = [event["text"] for event in result.events if event["kind"] == "client-output"]
    assert logged == ["listening", "told: one", "told: two", "told: end", "no newline"]


def test_the_same_bytes_every_time(play):
    assert play("select").events == play("select").events


def test_over_the_network(play):
    steps = [{"advance": "100ms"}, *SCENARIO["steps"][1:4], *SCENARIO["steps"][8:]]
    result = play("poll", steps, attach="network")
    assert result.verdict == "pass", result.reason
    assert [text for _, text in said(result)] == ["listening", "told: one", "told: end"]
    assert all(time is not None for time, _ in said(result))


def test_a_client_that_starts_again_is_typed_to_and_heard_as_before(play):
    steps = [*SCENARIO["steps"][:4], {"power-cut": "all"}, {"advance": "10s"}, {"start": {}}, *SCENARIO["steps"][:4]]
    result = play("read", steps)
    assert result.verdict == "pass", result.reason
    assert [text for _, text in said(result)] == ["listening", "told: one"] * 2


def test_nothing_is_lost_and_nobody_waits_when_much_is_written_at_once(play):
    result = play("sleep", [{"request": {**GET, "path": "/slept", "within": "2h"}}])
    assert result.verdict == "pass", result.reason
    lines = [text for _, text in said(result)]
    assert lines[0] == "listening" and f"{19000:0100}" in lines and len(lines) == 20150  # the first and the last are kept


def test_who_reads_nothing_is_said_to(play):
    result = play("sleep", [{"repeat": 300, "steps": [{"input": "x" * 8000}]}])
    assert (result.verdict, result.reason) == (
        "error", "nothing can be typed at the client's standard input: it reads nothing of what was typed before")


def test_who_only_waits_again_and_again_does_not_block(play):
    result = play("idle", [{"request": {**GET, "within": "9d"}}], limit=4)
    assert (result.verdict, result.reason.split(" of ")[0]) == ("fail", "the run took longer than its limit"), result.reason


def test_input_after_its_end(play):
    result = play("sleep", [{"input": {"end": True}}, {"input": "x"}])
    assert result.reason == "nothing can be typed at the client's standard input: it has closed it"


@pytest.mark.parametrize("steps, profile, why", [
    ([{"input": {"command": "third"}}], {}, "the client has no command 'third' (its profile's commands)"),
    ([{"input": "x"}], {"input": "null"}, "the client has no standard input at which one could type"),
])
def test_who_cannot_be_told_is_skipped(steps, profile, why, play):
    result = play("poll", steps, **profile)
    assert (result.verdict, result.reason) == ("skip", why)


@pytest.mark.parametrize("step, message", [
    ({"input": {}}, "input needs the field 'line' or 'command' or 'end'"),
    ({"input": {"line": "a", "command": "b"}}, "'line' and 'command' exclude each other"),
])
def test_mistakes(step, message, play):
    assert message in play("poll", [step]).errors


def test_stop_types_what_the_profile_says(play):
    steps = [{"advance": "5s"}, {"stop": "term"}, {"request": {**GET, "path": "/bye", "within": "1s"}}, {"ignore": {}}]
    assert play("poll", steps, stop={"input": "bye"}).verdict == "pass"
    assert play("poll", steps).verdict == "fail"


@pytest.mark.parametrize("attach", ["exec", "network"])
def test_stop_ends_the_input_where_the_profile_says_so(attach, play):
    steps = [{"advance": "100ms"}, {"stop": "term"}, {"request": {**GET, "path": "/end", "within": "1s"}}, {"ignore": {}}, {"exit": 7}]
    assert play("poll", steps, attach, stop={"end": True}).verdict == "pass"
    assert play("poll", steps, attach).verdict == "fail"


@pytest.mark.parametrize("attach", ["exec", "network"])
def test_who_was_stopped_by_the_end_of_its_input_has_a_new_one_when_it_starts_again(attach, play):
    stops = [{"stop": "term"}, {"request": {**GET, "path": "/end", "within": "1s"}}, {"ignore": {}}, {"exit": 7}]
    steps = [{"advance": "100ms"}, *SCENARIO["steps"][1:4], *stops, {"start": {}}, {"advance": "100ms"}, *SCENARIO["steps"][1:4], *stops]
    result = play("poll", steps, attach, stop={"end": True})
    assert result.verdict == "pass", result.reason
    assert [text for _, text in said(result)] == ["listening", "told: one", "told: end"] * 2


@pytest.mark.parametrize("ready", [{"output": "listening"}, {"after": "1s"}, {"request": True, "after": "1500ms"}])
def test_the_clock_of_a_scenario_begins_when_the_client_is_ready(ready, play):
    steps = [{"advance": "100ms"}, {"input": "one"}, {"request": {**GET, "path": "/one", "within": "10s"}}, {"ignore": {}}]
    result = play("late", steps, attach="network", ready=ready)
    assert result.verdict == "pass", result.reason
    assert next(time for time, text in said(result) if text == "listening") == 0  # half a second after its start
    first = next(event for event in result.events if event["kind"] == "received")
    assert float(first["t"]) >= 0.1


def test_a_client_that_ends_before_it_is_ready_is_not_awaited(tmp_path):
    """Its end is told as such, not after two minutes of a busy processor as a client that is slow."""
    profile = tmp_path / "client.yaml"
    profile.write_text(yaml.safe_dump({"name": "gone", "attach": "network", "ready": {"output": "never said"},
                                       "command": ["/bin/sh", "-c", "exit 3", "{bs_uri}"]}))
    done = api.call("run", api.ROOT / "scenarios/good/first-bootstrap.yaml", "--client", profile, "--no-canary", "--limit", "20")
    assert "exit" in done.stdout and "limit" not in done.stdout, done.stdout


def test_the_report_shows_it_beside_the_conversation(console, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({**SCENARIO, "steps": SCENARIO["steps"][:4]}, sort_keys=False))
    api.call("run", scenario, "--no-canary", "--client", f"exec:{console} {{bs_host}} {{bs_port}} poll", "--report",
             tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text()
    assert "writes: told: one" in page and "5.000000  told: one" in page and "is typed: one" in page
