# SPDX-License-Identifier: Apache-2.0
"""`bootjack control`: what docs/control-channel.md says, over a pipe, against our client linked, under the preload library
and on the network."""
import json
import os
import signal
import subprocess
import time

import pytest

from harness.pytest_bootjack import api

HEAD = {"client": {"endpoint": "dev-1", "bootstrap": {"uri": "coap://bs.example", "holdoff": "1s"}}}
BOOTSTRAP = [
    {"request": {"to": "bs", "method": "POST", "path": "/bs", "query": {"ep": "dev-1"}}},
    {"respond": 2.04},
    'write: /0/1\ntlv: {0: "coap://mgmt.example", 1: false, 2: 3, 3: "", 4: "", 5: !hex "", 10: 101}\nexpect: 2.04',
    {"write": "/1/0", "tlv": {"0": 101, "1": 86400, "6": False, "7": "U"}, "expect": 2.04},
    {"finish": {"expect": [2.04]}},
    {"request": {"to": "mgmt", "path": "/rd"}},
    {"respond": 2.01, "location": "/rd/5"},
]
CLIENTS = {
    "linked": "linked",
    "exec": "bootjack-client",
    "network": "network:{program}-client --endpoint {{endpoint}} --bootstrap {{bs_uri}} --holdoff {{holdoff}}",
}


class Channel:
    """The other end of a `bootjack control`."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([api.find_bootjack(), "control", *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.greeting = json.loads(self.process.stdout.readline())

    def raw(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, do, **members):
        return self.raw(json.dumps({"do": do, **members}))

    def good(self, do, **members):
        reply = self.ask(do, **members)
        assert reply["ok"], reply
        return reply

    def play(self, steps):
        events = []
        for number, step in enumerate(steps, 1):
            reply = self.good("step", step=step, line=number)
            assert not reply["over"], reply.get("result")
            events += reply["events"]
        return events

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        return status


@pytest.fixture
def channel():
    channel = Channel()
    yield channel
    channel.process.kill()
    channel.process.wait()
    channel.process.stdin.close()
    channel.process.stdout.close()


def client(name):
    return CLIENTS[name].format(program=api.find_bootjack())


def test_a_whole_script_through_a_pipe():
    """Whoever writes all it has to say, and goes, is answered line by line."""
    asked = [{"do": "start", "scenario": HEAD, "seed": 7}, *({"do": "step", "step": step} for step in BOOTSTRAP),
             {"do": "finish"}, {"do": "finish"}]
    lines = [json.dumps({**request, "id": number}) for number, request in enumerate(asked)]
    done = subprocess.run([api.find_bootjack(), "control"], input="\n".join(lines), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    assert [(reply["id"], reply["ok"]) for reply in replies] == [(number, True) for number in range(len(asked))]
    assert [reply["result"]["verdict"] for reply in replies[-2:]] == ["pass", "pass"]


def test_it_says_which_version_it_speaks(channel):
    assert (channel.greeting["bootjack"], channel.greeting["version"]) == ("control", 1)
    text = (api.ROOT / "docs/control-channel.md").read_text()
    assert f"version {channel.greeting['version']}." in text
    assert channel.end() == 0


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_is_bootstrapped_step_by_step(name, channel):
    began = channel.good("start", scenario=HEAD, client=client(name), seed=7)
    assert (began["over"], began["events"][0]["kind"]) == (False, "run-begin")
    events = channel.play(BOOTSTRAP)
    assert [e["line"] for e in events if e["kind"] == "step-end"] == list(range(1, len(BOOTSTRAP) + 1))
    state = channel.good("state")["state"]
    assert state["running"] and (state["machines"].get("bootstrap") == "idle" or name != "linked")
    healed = channel.good("heal")
    assert healed["over"] and healed["result"]["verdict"] == "pass", healed["result"]["reason"]
    assert healed["result"]["recovery"] == ("" if name == "network" else "registered")
    assert channel.good("finish")["result"] == healed["result"]
    assert "the run is over (pass" in channel.ask("step", step={"respond": 2.04})["error"]
    assert channel.end() == 0


def without_places(events):
    return [{key: value for key, value in event.items() if key not in ("line", "column") and event["kind"] != "run-begin"}
            for event in events]


@pytest.mark.parametrize("name", ["linked", "exec"])
def test_the_scenario_does_the_same_again(name, channel, tmp_path):
    """Event for event: the channel leaves no trace in what it drives."""
    steps = [*BOOTSTRAP, {"advance": "2h"}, {"either": {"silent": [{"silence": "5s"}],
                                                        "asks": [{"request": {"path": "/rd/5", "within": "5s"}}, {"respond": 2.04}]}},
             {"power-cut": "none"}, {"advance": "1m"}, {"start": {}}, {"request": {"to": "bs", "path": "/bs"}}]
    events = channel.good("start", scenario=HEAD, client=client(name), seed=11)["events"]
    events += channel.play(steps)
    over = channel.good("finish")
    file = tmp_path / "again.yaml"
    file.write_text(channel.good("scenario")["scenario"])
    again = api.run_scenario(file, client=client(name), seed=11)
    assert (again.verdict, again.reason) == (over["result"]["verdict"], over["result"]["reason"])
    assert without_places(events + over["events"]) == without_places(again.events)
    assert channel.end() == 0


def test_a_step_that_fails_ends_the_run(channel):
    channel.good("start", scenario=HEAD)
    channel.play(BOOTSTRAP[:2])
    over = channel.good("step", step={"finish": {"expect": 5.03}}, line=77)
    assert over["over"] and over["result"]["verdict"] == "fail" and over["result"]["line"] == 77
    assert "expected 5.03" in over["result"]["reason"]
    again = channel.good("start", scenario=HEAD)
    assert not again["over"] and again["now"] == 0


def test_nothing_is_healed_where_that_is_not_wanted(channel):
    channel.good("start", scenario=HEAD)
    channel.play(BOOTSTRAP[:1])
    over = channel.good("finish", heal=False)
    assert over["result"]["recovery"] == "" and not [e for e in over["events"] if e["kind"] == "healed"]


def test_time_stands_still_while_nobody_says_anything(channel):
    channel.good("start", scenario=HEAD, limit=1)
    at = channel.good("step", step=BOOTSTRAP[0])["now"]
    time.sleep(1.2)  # more than the limit: it counts what the client computes
    reply = channel.good("step", step={"respond": 2.04})
    assert (reply["now"], reply["over"]) == (at, False)


def test_a_capture_is_written(channel, tmp_path):
    channel.good("start", scenario=HEAD)
    channel.play(BOOTSTRAP)
    channel.good("capture", file=str(tmp_path / "so-far.pcapng"))
    done = subprocess.run([api.find_bootjack(), "decode", tmp_path / "so-far.pcapng"], capture_output=True, text=True, check=True)
    assert "POST /bs?ep=dev-1" in done.stdout
    refused = channel.ask("capture", file=str(tmp_path / "nowhere" / "x.pcapng"))
    assert not refused["ok"] and "No such file" in refused["error"]


BAD = [
    ("", "expected a JSON object such as"),
    ("[1]", "expected a JSON object such as"),
    ('{"do": "state"', "expected ',' or '}' at byte"),
    ('{"do": stat}', "expected a JSON value at byte 8"),
    ('{"do": "state"} {', "expected nothing more: one object a line at byte 17"),
    ('{"do": 1}', "do: expected a string, found 1"),
    ('{"step": {}}', 'expected a member "do" that is one of start, step'),
    ('{"do": "stap"}', "(did you mean 'step'?)"),
    ('{"do": "finish", "heel": true}', "has no member 'heel' (did you mean 'heal'?)"),
    ('{"do": "finish", "heal": 1}', "heal: expected true or false, found 1"),
    ('{"do": "step"}', "step: expected a step such as"),
    ('{"do": "step", "step": 5}', "step: expected an object, or a string of YAML, found 5"),
    ('{"do": "step", "step": {"respond": 2.04}, "step": {}}', "given twice"),
    ('{"do": "step", "step": {"respond": 2.04}, "line": -1}', "line: expected a whole number"),
    ('{"do": "capture"}', "file: expected the name of the file"),
    ('{"do": "start", "seed": "x"}', 'seed: expected a whole number that is not too large, found "x"'),
    ('{"do": "start", "client": "nobody"}', "client: there is none 'nobody': expected linked"),
    ("{" + '"a":[' * 100, "expected a JSON value"),
    ("\0", "expected a JSON object"),
]


@pytest.mark.parametrize("line, expected", BAD)
def test_bad_lines_say_what_was_expected(line, expected, channel):
    channel.good("start", scenario=HEAD)
    reply = channel.raw(line)
    assert not reply["ok"] and expected in reply["error"], reply
    if "start" not in line:  # which ends the run before
        assert not channel.good("step", step=BOOTSTRAP[0])["over"]
    assert channel.good("start")["ok"]


def test_mistakes_have_places_and_suggestions(channel):
    reply = channel.ask("start", scenario={"cleint": {}})
    assert reply["mistakes"][0]["suggestion"] == "client" and reply["mistakes"][0]["column"] == 2
    assert channel.ask("step", step=BOOTSTRAP[0])["error"] == "there is no run: expected 'start' before this"
    channel.good("start", scenario=HEAD)
    reply = channel.ask("step", step={"wriet": "/0/1"}, id=[1, "x"])
    assert reply["id"] == [1, "x"] and reply["mistakes"][0]["suggestion"] == "write"
    assert "no request was awaited before" in channel.ask("step", step={"respond": 2.04})["mistakes"][0]["text"]
    channel.play(BOOTSTRAP[:2])  # and nothing of it stayed


def test_steps_are_those_of_the_file_that_it_would_be(channel):
    name = str(api.ROOT / "scenarios/good/x.yaml")
    channel.good("start", scenario=HEAD, name=name)
    channel.play(BOOTSTRAP[:2])
    included = sorted(path.name for path in (api.ROOT / "scenarios/steps").glob("account*.yaml"))
    channel.play([{"include": f"../steps/{included[0]}"}])
    assert "/0/" in channel.good("scenario")["scenario"]


def processes_of(group):
    """All in a process group that are no zombies."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split() if entry.isdigit() else None
        except OSError:
            words = None
        if words and int(words[2]) == group and words[0] != "Z":
            found.append(int(entry))
    return found


def client_of(channel):
    """The process group of the run's client: the child of `bootjack control`."""
    children = open(f"/proc/{channel.process.pid}/task/{channel.process.pid}/children").read().split()
    assert len(children) == 1
    return int(children[0])


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("how", ["closes", "is killed"])
def test_nothing_is_left_when_the_other_side_dies(name, how, channel):
    channel.good("start", scenario=HEAD, client=client(name))
    channel.play(BOOTSTRAP[:1])
    group = client_of(channel)
    assert processes_of(group)
    if how == "closes":
        assert channel.end() == 2
    else:
        channel.process.send_signal(signal.SIGKILL)
        channel.process.wait(timeout=20)
    for _ in range(1000):
        if not processes_of(group):
            return
        time.sleep(0.01)
    assert processes_of(group) == []


def test_a_client_that_computes_is_ended_with_the_other_side(channel):
    """The input ends while a step goes on: it never would by itself."""
    spin = "exec:/bin/sh -c 'while :; do :; done'"
    channel.process.stdin.write(json.dumps({"do": "start", "client": spin}) + "\n")
    channel.process.stdin.flush()
    assert not json.loads(channel.process.stdout.readline())["over"]
    channel.process.stdin.write(json.dumps({"do": "step", "step": {"advance": "1h"}}) + "\n")
    channel.process.stdin.flush()
    time.sleep(0.3)
    assert channel.end() == 2
