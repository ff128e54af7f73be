# SPDX-License-Identifier: Apache-2.0
"""The HTML report, from results made by hand: complete, well-formed, self-contained, and harmless to hostile text."""
import fcntl
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api, conversation
from harness.report import chart, compare, model
from harness.report.__main__ import listing, render
from harness.tests import sample_results

SCRIPT = "title: T\nshows: refuse\nrules: [A-RULE]\nsteps:\n" + "".join(f"  - note: n{i}\n" for i in range(12))
RULES = "rules:\n  - {id: A-RULE, level: MUST, clause: \"§6.1\", text: What it says}\n  - {id: B-RULE, text: Nobody}\n"
VOID = {"meta", "br", "input", "path", "line", "rect", "circle"}


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "scenarios" / "topic"
    folder.mkdir(parents=True)
    (tmp_path / "rules.yaml").write_text(RULES)
    results = []
    for verdict in ("pass", "fail", "warn", "skip", "xfail", "inconclusive", "error"):
        (folder / f"{verdict}.yaml").write_text(SCRIPT)
        log = sample_results.good_log()
        if verdict == "fail":
            log.add("step-failed", 2, line=10, column=5, text="expected 2.04, got 4.06")
        results.append(sample_results.result(folder / f"{verdict}.yaml", verdict, "" if verdict == "pass" else "why <b>",
                                             10 if verdict == "fail" else 0, 5, log.events, rules=["A-RULE", "NO-RULE"]))
    return model.make([api.Result.from_json(value) for value in results], tmp_path / "rules.yaml")


class Nesting(html.parser.HTMLParser):
    """Complains about elements that are closed in the wrong order, or not at all."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.texts = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            assert attrs["id"] not in self.ids, attrs["id"]
            self.ids.add(attrs["id"])
        if (attrs.get("href") or "").startswith("#"):
            self.links.add(attrs["href"][1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, (tag, self.getpos())


def test_the_page_is_well_formed_and_links_lead_somewhere(report):
    page = Nesting()
    page.feed(render(report))
    assert page.open == []
    missing = {link for link in page.links - page.ids if not re.fullmatch(r"s\d+-L\d+", link)}
    assert missing == set()


def test_the_page_needs_nothing_else(report):
    page = render(report)
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert "@import" not in page and "url(" not in page


def test_verdicts_reasons_and_commands_are_there(report):
    page = render(report)
    for entry in report.entries:
        assert f'data-verdict="{entry.result.verdict}"' in page
        assert f"bootjack run {entry.result.scenario} --seed 1 -v" in page
    assert "a line of the client&#39;s" in page and "Lawful alternative that was seen: refused at Finish" in page
    assert "why &lt;b&gt;" in page and "why <b>" not in page
    assert report.summary() == ("2 passed, 2 failed, 2 skipped, 1 with a warning, 1 inconclusive, "
                                "1 expected failures, 1 errors")


def test_the_failing_line_is_marked(report):
    page = render(report)
    # Of `fail`, which names it, and of `error`, where it is that of the last step that began.
    assert len(re.findall(r'data-line="10" class="failing"', page)) == 2


def test_rules_show_who_accepts_and_refuses(report):
    by_rule = {row[0]: row[1:] for row in report.by_rule}
    assert len(by_rule["A-RULE"][2]) == 7 and by_rule["A-RULE"][1] == []
    assert by_rule["B-RULE"][1:] == ([], [], []) and by_rule["NO-RULE"][0] == {}


def test_a_rule_that_an_oracle_found_broken_is_named(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    broken = [{"rule": "B-RULE", "level": "MUST", "t": 1.5, "event": 7, "count": 3, "text": "it was <broken>"}]
    value = sample_results.result("a.yaml", "fail", "B-RULE broken at 1.500000", rules=["A-RULE"], broken=broken)
    report = model.make([api.Result.from_json(value)], tmp_path / "rules.yaml")
    assert {row[0]: row[2][0]["worst"].result.verdict for row in report.matrix} == {"A-RULE": "fail", "B-RULE": "fail"}
    page = render(report)
    assert "it was &lt;broken&gt;" in page and "(3 times)" in page and 'href="#rule-B-RULE"' in page
    assert model.as_json(report)["results"][0]["broken"] == broken


def test_a_chart_shows_what_happened():
    result = api.Result.from_json(sample_results.result("x.yaml", "fail", "<evil>", events=sample_results.good_log().events))
    svg = chart.chart(result, "s1")
    for words in (">client<", ">bs<", ">mgmt<", ">DNS<", "CON POST /bs?ep=dev-1&amp;pct=11542", 'class="cross"',
                  "port unreachable", "+ 1h", "fail: &lt;evil&gt;", "#s1-L8"):
        assert words in svg
    assert "<evil>" not in svg


def test_what_a_device_sends_over_a_connection_is_shown_as_it_arrives():
    """On a real network nobody saw it leave; in a simulated one it is shown once, as it was sent."""
    log = sample_results.Log()
    log.add("stream-received", sample_results.BS, number=1, raw="0002b26273", coap={"code": "0.02", "method": "POST", "path": "/bs"})
    sent = log.add("stream-sent", 1, number=1, raw="0001b268690a", coap={"code": "0.01", "method": "GET", "path": "/hi"})
    log.add("stream-received", sample_results.BS, number=1, cause=sent, raw="0001b268690a",
            coap={"code": "0.01", "method": "GET", "path": "/hi"})
    result = api.Result.from_json(sample_results.result("x.yaml", events=log.events))
    svg = chart.chart(result, "s1")
    assert svg.count("TCP POST /bs") == 1 and svg.count("TCP GET /hi") == 1
    text = conversation.conversation(log.events)
    assert len(text) == 2 and "connection 1: 0002b26273" in text[0] and "connection 1: 0001b268690a" in text[1]


def test_a_long_run_is_cut_in_the_middle():
    log = sample_results.Log()
    for number in range(4000):
        log.message(1, sample_results.BS, sample_results.con("POST", f"/bs{number}"))
    svg = chart.chart(api.Result.from_json(sample_results.result("x.yaml", events=log.events)), "s1")
    assert "rows left out" in svg and "/bs0<" in svg and "/bs3999<" in svg and "/bs2000<" not in svg
    assert len(svg) < 200_000


def test_a_run_without_events_has_no_chart():
    assert chart.chart(api.Result.from_json(sample_results.result("x.yaml")), "s1") == ""


def test_the_listing_has_a_line_a_scenario(report):
    lines = listing(report).splitlines()
    assert lines[0].startswith("pass         topic/pass") and "virtual 1h 12.51s" in lines[0]
    assert any("fail.yaml:10: why <b>" in line for line in lines)
    assert lines[-1].startswith("2 passed, 2 failed, 2 skipped")


def test_the_command_line(tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps(sample_results.result("scenarios/a/b.yaml")) + "\n")
    command = [sys.executable, "-m", "harness.report", str(results), "-o", str(tmp_path / "out"), "--list"]
    done = subprocess.run(command, cwd=api.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "1 passed, 0 failed, 0 skipped" in done.stdout
    assert (tmp_path / "out" / "index.html").stat().st_size > 5000
    results.write_text("")
    assert subprocess.run(command, cwd=api.ROOT, capture_output=True, timeout=60, check=False).returncode == 2


def rows(*pairs, client="linked"):
    return [api.Result.from_json(sample_results.result(name, verdict, "why", client=client)) for name, verdict in pairs]


def test_the_matrix_has_a_cell_for_every_rule_and_client(tmp_path):
    results = [*rows(("a", "pass"), ("b", "fail")), *rows(("a", "pass"), client="theirs")]
    (tmp_path / "rules.yaml").write_text(RULES)
    made = model.make(results, tmp_path / "rules.yaml")
    matrix = {rule: cells for rule, _, cells in made.matrix}
    ours, theirs = matrix["BS-REQUEST"]
    assert (ours["worst"].result.verdict, ours["good"], ours["count"]) == ("fail", 1, 2)
    assert (theirs["worst"].result.verdict, theirs["good"], theirs["count"]) == ("pass", 1, 1)
    assert matrix["B-RULE"] == [None, None]


def test_captures_small_ones_in_the_page_large_ones_beside_it(tmp_path):
    small, large = tmp_path / "small.pcapng", tmp_path / "captures" / "large.pcapng"
    large.parent.mkdir()
    small.write_bytes(b"packets")
    large.write_bytes(bytes(model.SAMPLE + 1))
    results = [api.Result.from_json(sample_results.result(f"s/{path.stem}.yaml", capture=str(path)))
               for path in (small, large, tmp_path / "gone.pcapng")]
    made = model.make(results, model.CATALOGUE, tmp_path)
    addresses = [entry.capture_address() for entry in made.entries]
    assert addresses == ["data:application/octet-stream;base64,cGFja2V0cw==", "captures/large.pcapng", ""]
    page = render(made)
    assert 'download="s-small.pcapng"' in page and 'href="captures/large.pcapng"' in page and "s-gone.pcapng" not in page


def test_results_json_is_as_documented(report):
    value = json.loads(json.dumps(model.as_json(report)))
    page = (api.ROOT / "docs/report.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", page.split("## results.json")[1], re.M)
    assert list(value) == documented
    assert value["counts"]["fail"] == 1 and len(value["results"]) == 7
    rule = next(rule for rule in value["rules"] if rule["id"] == "A-RULE")
    assert rule == {"id": "A-RULE", "level": "MUST", "clause": "§6.1", "text": "What it says", "verdicts": {"linked": "fail"}}
    members = set(re.findall(r"^\| `([\w`, ]+)` \|", (api.ROOT / "docs/event-log.md").read_text().split("## A result")[1], re.M))
    members = {name for group in members for name in group.split("`, `")}
    assert set(value["results"][0]) <= members


def test_what_changed_between_two_runs(tmp_path):
    before = rows(("a", "pass"), ("b", "fail"), ("c", "pass"), ("d", "skip"), ("gone", "pass"))
    after = rows(("a", "fail"), ("b", "pass"), ("c", "pass"), ("d", "pass"), ("new", "pass"), ("red", "fail"))
    found = compare.changes(before, after)
    assert [(c.scenario, c.before, c.after, c.worse) for c in found] == [
        ("a", "pass", "fail", True), ("red", "", "fail", True), ("b", "fail", "pass", False), ("d", "skip", "pass", False),
        ("gone", "pass", "", False), ("new", "", "pass", False)]
    assert compare.text(found).endswith("6 changed, 2 for the worse") and "[BS-REQUEST]" in compare.text(found)
    assert compare.got_worse(found) and not compare.got_worse(compare.changes(before, before))
    assert compare.text([]) == "nothing changed"


def command(*words):
    return subprocess.run([str(api.find_bootjack()), *map(str, words)], cwd=api.ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)


def test_the_folder_that_run_writes(tmp_path):
    done = command("run", "scenarios/good/first-bootstrap.yaml", "--report", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names == {"index.html", "results.json", "results.jsonl", "junit.xml",
                     "captures/scenarios-good-first-bootstrap.pcapng"}
    again = command("report", "--compare", tmp_path / "out/results.json", tmp_path / "out/results.jsonl")
    assert (again.returncode, again.stdout) == (0, "nothing changed\n")


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    """The second is told, and what the first has written stays as it is."""
    results = tmp_path / "results.jsonl"
    results.write_text("of the first\n")
    with results.open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        done = command("run", "scenarios/good/first-bootstrap.yaml", "--report", tmp_path)
    assert done.returncode == 2 and "another run is writing it" in done.stderr
    assert results.read_text() == "of the first\n"
    assert command("run", "scenarios/good/first-bootstrap.yaml", "--report", tmp_path).returncode == 0
    assert "of the first" not in results.read_text()


@pytest.mark.parametrize("words, status, text", [
    (["report"], 64, "give RESULTS, or --compare BEFORE AFTER"),
    (["report", "--compare", "README.md"], 64, "expected 2 arguments"),
    (["report", "README.md"], 2, "README.md: no result"),
    (["report", "--compare", "nowhere", "README.md"], 2, "nowhere: No such file or directory"),
    (["report", "ci/no-such-file.json"], 2, "ci/no-such-file.json"),
    (["report", "--compare", "README.md", "LICENSE"], 2, "README.md: no result"),
    (["report", "-o", "README.md", "{results}"], 2, "bootjack report: README.md: File exists"),
    (["report", "-o", "{folder}", "--rules", "nowhere", "{results}"], 2, "nowhere: No such file or directory"),
    (["report", "-o", "{folder}", "--rules", "build/release/bin/bootjack", "{results}"], 2,
     "build/release/bin/bootjack: not a catalogue of rules"),
    (["report", "-o", "{folder}", "--rules", "LICENSE", "{results}"], 2, "LICENSE: not a catalogue of rules"),
    (["run", "scenarios/good", "--report", "/nowhere/x"], 2, "/nowhere/x: No such file or directory"),
])
def test_what_cannot_be_reported(words, status, text, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text('{"scenario":"a.yaml","verdict":"pass"}\n')
    done = command(*(word.format(results=results, folder=tmp_path / "page") for word in words))
    assert done.returncode == status and text in done.stderr, done.stderr


def test_a_terminal_that_has_not_all_letters(tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text('{"scenario":"ä.yaml","verdict":"fail","reason":"zu spät"}\n', encoding="utf-8")
    done = subprocess.run([str(api.find_bootjack()), "report", "--list", "-o", str(tmp_path), str(results)], capture_output=True,
                          text=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "zu sp\\xe4t" in done.stdout


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium (Debian: chromium)")
def test_a_browser_shows_the_page(report, tmp_path):
    """The page as a browser has it after its script ran: the matrix, the failing chart, the command; and no error."""
    (tmp_path / "index.html").write_text(render(report))
    entry = next(entry for entry in report.entries if entry.result.verdict == "fail")
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--enable-logging=stderr",
             f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "index.html").as_uri() + f"#{entry.anchor}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    shown = done.stdout
    matrix = shown.split('class="matrix"')[1].split("</table>")[0]
    assert "A-RULE" in matrix and "✗ fail" in matrix
    case = shown.split(f'id="{entry.anchor}"')[1].split("</details>")[0]
    assert 'open=""' in case.split(">")[0], "the script opens what the address names"
    assert '<svg class="chart"' in case and "✗ 10  expected 2.04, got 4.06" in case
    assert entry.result.reproduce in case
    assert "Uncaught" not in done.stderr
