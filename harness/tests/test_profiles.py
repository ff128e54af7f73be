# SPDX-License-Identifier: Apache-2.0
"""What profiles say of clients, and what comes of it: instances of the factory, features, the picture of all clients."""
import fnmatch
import json
import subprocess

import pytest
import yaml

from harness.pytest_bootjack import api
from harness.report import clients, known

OURS = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())
LEFT_OVER = """\
title: t
recovery: {off: "the client has an account that leads nowhere"}
client: {bootstrap: {uri: "coap://bs.example", instance: 5}}
steps:
  - request: {to: bs, method: POST, path: /bs, within: 1d}
  - respond: 2.04
  - {discover: /, expect: 2.05, lacks: ["/1/*"]}
"""
WRITTEN = "  - {write: /1/0/1, text: \"60\", expect: 2.04}\n  - {discover: /, expect: 2.05, lacks: [\"/1/*\"]}\n"
DELETED = "  - {delete: /1/0, expect: 2.02}\n  - {discover: /, expect: 2.05, lacks: [\"/1/*\"]}\n"


GIVEN_UP = ("  - {write: /1/0/1, text: \"60\", expect: 2.04}\n  - request: {to: bs, method: POST, path: /bs, within: 1d}\n  - respond: 2.04\n"
            "  - {discover: /, expect: 2.05, lacks: [\"/1/*\"]}\n")
ACCEPTED = GIVEN_UP.replace("  - request: {to: bs", "  - finish: {expect: 2.04}\n  - request: {to: bs")


def profile(tmp_path, **fields):
    path = tmp_path / "profile.yaml"
    command = [*OURS["command"], "--server", "coap://nowhere.example", "--ssid", "7"]
    path.write_text(yaml.safe_dump({**OURS, "command": command, **fields}))
    return path


@pytest.mark.parametrize("steps, transactional, verdict", [(GIVEN_UP, True, "pass"), (GIVEN_UP, False, "fail"), (ACCEPTED, True, "fail")])
def test_a_session_that_failed_leaves_the_factory_as_it_was(steps, transactional, verdict, tmp_path):
    scenario = tmp_path / "left-over.yaml"
    scenario.write_text(LEFT_OVER + steps)
    facts = [fact for fact in OURS["facts"] if transactional or fact != "transactional"]
    result = api.run_scenario(scenario, profile(tmp_path, factory=["/1/0"], facts=facts), options=["--no-canary"])
    assert result.script_verdict == verdict and (verdict == "pass" or "must not be there" in result.reason), result.reason


@pytest.mark.parametrize("steps, factory, verdict", [
    ("", None, "fail"), ("", ["/1/0"], "pass"), ("", ["/1/3"], "fail"), (WRITTEN, ["/1/0"], "fail"),
    (DELETED, ["/1/0"], "pass"),
])
def test_instances_of_the_factory(steps, factory, verdict, tmp_path):
    scenario = tmp_path / "left-over.yaml"
    scenario.write_text(LEFT_OVER + steps)
    client = profile(tmp_path, **({"factory": factory} if factory else {}))
    result = api.run_scenario(scenario, client, options=["--no-canary"])
    assert result.script_verdict == verdict, result.reason
    assert verdict == "pass" or "must not be there" in result.reason


def test_a_registration_lists_what_the_factory_left(tmp_path):
    scenario = tmp_path / "listed.yaml"
    scenario.write_text("title: t\nclient: {bootstrap: {uri: \"coap://bs.example\"}, accounts: [{uri: \"coap://mgmt.example\"}]}\n"
                        "steps:\n  - request: {to: mgmt, method: POST, path: /rd, has: [/3/0], lacks: [/3/0]}\n"
                        "  - {respond: 2.01, location: /rd/1}\n")
    verdicts = []
    for factory in ([], ["/3/0"]):
        path = tmp_path / "client.yaml"
        path.write_text(yaml.safe_dump({**OURS, **({"factory": factory} if factory else {})}))
        verdicts.append(api.run_scenario(scenario, path, options=["--no-canary"]).verdict)
    assert verdicts == ["fail", "pass"]


SHOULD = """title: t
level: should
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 2.04
  - {discover: /, expect: 4.04}
"""


def test_what_shows_no_must_is_a_warning(tmp_path):
    path = tmp_path / "should.yaml"
    path.write_text(SHOULD)
    result = api.run_scenario(path, "linked", options=["--no-canary"])
    assert (result.verdict, result.script_verdict) == ("warn", "fail")
    assert result.reason.startswith("against a SHOULD: expected 4.04 to GET /, the client answered 2.05")
    path.write_text(SHOULD.replace("level: should", "level: must"))
    assert api.run_scenario(path, "linked", options=["--no-canary"]).verdict == "fail"


def test_what_a_client_lacks_is_a_skip(tmp_path):
    client = profile(tmp_path, features=["tlv"])
    result = api.run_scenario(api.ROOT / "scenarios/tcp/good.yaml", client, options=["--no-canary"])
    assert (result.verdict, result.reason) == ("skip", "the client has no tcp (its profile's features)")


@pytest.mark.parametrize("surplus, verdict", [(False, "skip"), (True, "pass")])
def test_what_is_to_be_passed_over_is_asked_of_who_lacks_it(surplus, verdict, tmp_path):
    """Our client has the Resource; its profile says that it has not."""
    ours = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())
    client = tmp_path / "profile.yaml"
    client.write_text(yaml.safe_dump({**ours, "security-resources": [0, 1, 2, 3, 4, 5, 10, 11]}, sort_keys=False))
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({"title": "t", "surplus": surplus, "client": {"bootstrap": {"uri": "coap://bs.example"}},
                                        "recovery": {"off": "a Write is all"}, "steps": [
        {"request": {"to": "bs", "method": "POST", "path": "/bs"}}, {"respond": "2.04"},
        {"write": "/0/8", "tlv": {0: "coap://a.example", 1: False, 2: 3, 3: "", 4: "", 5: "", 6: 3, 10: 7}, "expect": "2.04"}]}, sort_keys=False))
    result = api.run_scenario(scenario, client, options=["--no-canary"])
    assert result.verdict == verdict, result.reason


def test_a_feature_that_there_is_not(tmp_path):
    client = profile(tmp_path, features=["telepathy"])
    with pytest.raises(api.ScenarioError, match="telepathy"):  # the file's mistake is said before anything runs
        api.run_scenario(api.ROOT / "scenarios/good/first-bootstrap.yaml", client)


# --- the picture and the tables ---


def test_picture_and_tables_are_up_to_date():
    assert clients.main(["--check"]) == 0


def test_results_are_taken_in(tmp_path, monkeypatch):
    monkeypatch.setattr(clients, "STORE", tmp_path / "results.json")
    result = api.run_scenario(api.ROOT / "scenarios/good/first-bootstrap.yaml", "linked")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"scenario": "scenarios/good/first-bootstrap.yaml", "title": "t", "client": "c",
                                "verdict": "fail", "rules": result.rules, "reason": "r"}) + "\n")
    assert clients.main(["--add", f"c={rows}", "--about", "A client", "--svg", str(tmp_path / "picture.svg")]) == 0
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored["c"]["rules"]["BS-WRITE"] == {"fail": 1}
    assert stored["c"]["about"] == "A client: 1 scenarios: 1 fail."
    assert "✗ 0/1" in (tmp_path / "picture.svg").read_text()


def test_results_that_are_none(tmp_path, capsys):
    assert clients.main(["--add", f"c={tmp_path / 'nothing'}"]) == 2
    assert clients.main(["--add", "nonsense"]) == 2
    assert "expected NAME=RESULTS" in capsys.readouterr().err


# --- what failures come to ---

FINDINGS = """
- what: Nothing is written
  clause: Core 1.1 §6.1.7.6
  rules: [BS-WRITE]
  sure: sure
  failures: [{scenario: "good/*", reason: 'PUT .* answered 4\\.05$'}]
- what: It does not come back
  clause: Core 1.1 §6.1.3.3
  rules: [BS-RETRY]
  sure: fairly
  failures: [{reason: "no second attempt"}]
"""


def failed(name, reason, **more):
    return json.dumps({"scenario": f"scenarios/{name}.yaml", "title": "t", "client": "c", "verdict": "fail", "reason": reason, **more}) + "\n"


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    """A folder of clients with the findings of one, and results of a run of it."""
    monkeypatch.setattr(clients, "FOLDER", tmp_path)
    monkeypatch.setattr(clients, "STORE", tmp_path / "results.json")
    (tmp_path / "c.findings.yaml").write_text(FINDINGS)
    (tmp_path / "c.md").write_text("# C\n<!-- findings: begin -->\n<!-- findings: end -->\n<!-- results: begin -->\n<!-- results: end -->\n")
    broken = [{"rule": "BS-RETRY", "level": "MUST", "t": 1.5, "event": 3, "count": 1, "text": "no second attempt until 9 s"}]
    (tmp_path / "rows.jsonl").write_text(failed("good/one", "expected 2.04 to PUT /0/1, the client answered 4.05") +
                                         failed("loss/two", "BS-RETRY broken", broken=broken) +
                                         failed("loss/three", "expected 2.04 to PUT /0/1, the client answered 4.05") +
                                         failed("loss/four", "expected 2.04 to PUT /1/7, the client answered 4.05"))
    return tmp_path


def test_failures_are_accounted_for_by_findings(accounts, capsys):
    """By the scenario's name and the reason, or by what an oracle said; what is left is told, like with like."""
    assert clients.main(["--unread", f"c={accounts / 'rows.jsonl'}"]) == 0
    said = capsys.readouterr().out
    assert "2  expected 2.04 to PUT /…, the client answered 4.05\n" in said
    assert "loss/three" in said and "good/one" not in said and "loss/two" not in said
    assert said.endswith("2 failures accounted for by 2 findings, 2 by none\n")


def test_a_clients_page_tells_its_findings(accounts):
    assert clients.main(["--add", f"c={accounts / 'rows.jsonl'}", "--tables"]) == 0
    page = (accounts / "c.md").read_text()
    assert "| Nothing is written | Core 1.1 §6.1.7.6 | `BS-WRITE` | 1 | sure |" in page
    assert "| It does not come back | Core 1.1 §6.1.3.3 | `BS-RETRY` | 1 | fairly |" in page
    assert "2 failures are accounted for by none of these." in page


def test_another_build_has_the_same_findings_and_its_own(accounts, capsys):
    (accounts / "d.findings.yaml").write_text("- what: It is named otherwise\n  clause: none\n  sure: sure\n"
                                              "  failures: [{scenario: loss/three}]\n- like: c\n")
    assert clients.main(["--unread", f"d={accounts / 'rows.jsonl'}"]) == 0
    assert capsys.readouterr().out.endswith("3 failures accounted for by 3 findings, 1 by none\n")
    (accounts / "d.findings.yaml").write_text("- like: nobody\n")
    assert clients.main(["--unread", f"d={accounts / 'rows.jsonl'}"]) == 2
    assert "nobody.findings.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("text, mistake", [("what: x", "expected a list of findings"), ("- what: x", "finding 1: missing 2 required"),
                                           (FINDINGS.replace("BS-RETRY", "BS-NONE"), "finding 2: no rules of scenarios/rules.yaml: BS-NONE"),
                                           (FINDINGS.replace("4\\.05$", "("), "finding 1: PUT .* answered (: "),
                                           (FINDINGS.replace('reason: "no', 'text: "no'), "finding 2: failures hold `scenario`"),
                                           ("[", "c.findings.yaml: ")], ids=["map", "lacks", "rule", "expression", "key", "syntax"])
def test_findings_that_are_none(accounts, capsys, text, mistake):
    (accounts / "c.findings.yaml").write_text(text)
    assert clients.main(["--unread", f"c={accounts / 'rows.jsonl'}"]) == 2
    assert mistake in capsys.readouterr().err


# --- what its tracker knows ---

KNOWN = """
- {reference: "#1", what: Nothing is written, scenarios: ["good/*"], reason: 'answered 4\\.05$'}
- {reference: "#2", what: It crashes, scenarios: ["loss/two", "loss/three"], reason: crashed, note: once it did}
- {reference: "#3", what: It is late, scenarios: ["late/*"]}
- {reference: "#4", what: It is early, scenarios: ["early"]}
"""


@pytest.fixture
def tracker(accounts):
    (accounts / "c.known.yaml").write_text(KNOWN)
    (accounts / "c.md").write_text((accounts / "c.md").read_text() + "<!-- known: begin -->\n<!-- known: end -->\n")
    with (accounts / "rows.jsonl").open("a") as rows:
        for name, verdict in (("late/five", "pass"), ("late/six", "skip"), ("early", "skip")):
            rows.write(json.dumps({**json.loads(failed(name, "")), "verdict": verdict}) + "\n")
    return accounts


def test_a_clients_page_tells_what_its_tracker_knows(tracker):
    assert clients.main(["--add", f"c={tracker / 'rows.jsonl'}", "--tables"]) == 0
    page = (tracker / "c.md").read_text()
    assert "| #1 | Nothing is written | `good/*` | found, by 1 of 1 |" in page
    assert "| #2 | It crashes | `loss/two`, `loss/three` | not there: 2 asked, 2 of them failed for another reason; once it did |" in page
    assert "| #3 | It is late | `late/*` | not there: 1 passed |" in page
    assert "| #4 | It is early | `early` | cannot be asked |" in page


@pytest.mark.parametrize("text, mistake", [("what: x", "expected a list of issues"), ("- what: x", "issue 1: missing 2 required"),
                                           (KNOWN.replace("[\"early\"]", "[]"), "issue 4: scenarios is a list of patterns, not []"),
                                           (KNOWN.replace("4\\.05$", "("), "issue 1: answered (: "),
                                           (KNOWN.replace("#4", "#3"), "more than one issue has the reference #3"),
                                           (KNOWN.replace("early\"]", "never\"]"), "#4: no scenario of the run is named never"),
                                           ("[", "c.known.yaml: ")],
                         ids=["map", "lacks", "scenarios", "expression", "twice", "pattern", "syntax"])
def test_issues_that_are_none(tracker, capsys, text, mistake):
    (tracker / "c.known.yaml").write_text(text)
    assert clients.main(["--add", f"c={tracker / 'rows.jsonl'}"]) == 2
    assert mistake in capsys.readouterr().err


def test_each_issue_of_a_tracker_has_scenarios():
    """Those of the shipped files, by the names of the scenarios that are shipped."""
    done = subprocess.run([api.find_bootjack(), "check", "--list", str(api.ROOT / "scenarios")], capture_output=True, text=True, check=True)
    files = [json.loads(line)["scenario"].split("scenarios/", 1)[1] for line in done.stdout.splitlines()]
    names = [file.replace(".yaml::", " ").removesuffix(".yaml") for file in files]
    for path in sorted((api.ROOT / "harness/clients").glob("*.known.yaml")):
        for issue in known.read(path):
            for pattern in issue.scenarios:
                assert any(fnmatch.fnmatchcase(name, pattern) for name in names), f"{path.name}: {pattern}"
