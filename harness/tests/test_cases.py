# SPDX-License-Identifier: Apache-2.0
"""A file with cases: each is a scenario of its own for `bootjack`, for pytest and in every report."""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from harness.pytest_bootjack import api
from harness.report import model

TEXT = """\
title: The client asks ${server} for a bootstrap
rules: [BS-REQUEST]
shows: ${shows}
parameters: {shows: [accept]}
cases:
  good: {path: /bs, server: it}
  bad: {path: /sb, server: "it, in vain,", shows: refuse}
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - include: steps.inc.yaml
    with: {path: "${path}"}
"""
INCLUDED = "parameters: {path: ~}\nsequence:\n  - request: {to: bs, path: \"${path}\"}\n    within: 10s\n"
CATALOGUE = "rules:\n  - {id: BS-REQUEST, level: MUST, text: all}\n"


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "several.yaml").write_text(TEXT)
    (folder / "steps.inc.yaml").write_text(INCLUDED)
    (folder / "rules.yaml").write_text(CATALOGUE)
    return tmp_path


def bootjack(house, *arguments):
    return subprocess.run([api.find_bootjack(), *arguments], cwd=house, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [["scenarios"], ["scenarios/several.yaml"], ["scenarios", "-j", "2"]])
def test_a_file_stands_for_all_its_cases(arguments, house):
    done = bootjack(house, "run", *arguments, "--json", "--junit", "out.xml")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [(r["scenario"], r["verdict"], r["shows"], r["line"]) for r in results] == [
        ("scenarios/several.yaml::good", "pass", "accept", results[0]["line"]), ("scenarios/several.yaml::bad", "fail", "refuse", 10)]
    assert results[0]["title"] == "The client asks it for a bootstrap"
    assert "run scenarios/several.yaml::bad --seed 1" in results[1]["reproduce"]
    cases = list(xml.etree.ElementTree.parse(house / "out.xml").iter("testcase"))
    assert [(c.get("name"), c.get("file")) for c in cases] == [
        ("good: The client asks it for a bootstrap", "scenarios/several.yaml"),
        ("bad: The client asks it, in vain, for a bootstrap", "scenarios/several.yaml")]


def test_one_case_is_run_by_its_name(house):
    done = bootjack(house, "run", "scenarios/several.yaml::good", "--log", "out.jsonl")
    assert done.returncode == 0 and "1 passed" in done.stdout and (house / "out.jsonl").exists()
    done = bootjack(house, "run", "scenarios/several.yaml::god")
    assert done.returncode == 2 and "there is no case 'god' in this file (did you mean 'good'?)" in done.stderr
    assert "nowhere.yaml::a: No such file" in bootjack(house, "run", "nowhere.yaml::a").stderr


def test_a_failure_names_the_file_and_the_place(house):
    done = bootjack(house, "run", "scenarios/several.yaml::bad")
    assert "at scenarios/several.yaml:10:" in done.stdout and "again: " in done.stdout


def test_captures_and_logs_have_the_case_in_their_names(house):
    bootjack(house, "run", "scenarios", "--pcap", "captures", "--log", "logs")
    assert sorted(path.name for path in (house / "captures").iterdir()) == [
        "scenarios-several-bad.pcapng", "scenarios-several-good.pcapng"]
    assert sorted(path.name for path in (house / "logs").iterdir()) == [
        "scenarios-several-bad.jsonl", "scenarios-several-good.jsonl"]


def test_check_says_what_cases_have_in_common_once(house):
    assert bootjack(house, "check", "scenarios").stdout.splitlines() == [
        "scenarios/several.yaml::good: ok", "scenarios/several.yaml::bad: ok"]
    (house / "scenarios/several.yaml").write_text(TEXT.replace("to: bs", "too: bs").replace("bootstrap: {", "bootstarp: {"))
    done = bootjack(house, "check", "scenarios")
    assert done.returncode == 2 and done.stderr.count("client has no field 'bootstarp'") == 1
    (house / "scenarios/several.yaml").write_text(TEXT.replace("cases:", "cases: 5"))
    assert "scenarios/several.yaml:" in bootjack(house, "check", "scenarios").stderr


def test_check_lists_what_there_is(house):
    listed = [json.loads(line) for line in bootjack(house, "check", "--list", "scenarios").stdout.splitlines()]
    assert [(one["scenario"], one["shows"], one["rules"]) for one in listed] == [
        ("scenarios/several.yaml::good", "accept", ["BS-REQUEST"]), ("scenarios/several.yaml::bad", "refuse", ["BS-REQUEST"])]


def test_program_prints_one_case(house):
    done = bootjack(house, "program", "scenarios/several.yaml::bad", "--print")
    assert "path: /sb" in done.stdout and "${" not in done.stdout and "include" not in done.stdout
    (house / "printed.yaml").write_text(done.stdout)
    assert bootjack(house, "check", "printed.yaml").returncode == 0
    assert "name one, FILE::good" in bootjack(house, "program", "scenarios/several.yaml").stderr


def run_pytest(house, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "harness.pytest_bootjack.plugin", "-p", "no:cacheprovider",
               f"--rootdir={house}", "-rA", "--override-ini=addopts=", *arguments]
    environment = {**os.environ, "BOOTJACK": str(api.find_bootjack()), "PYTHONPATH": str(api.ROOT), "COLUMNS": "200"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=120, check=False).stdout


def test_pytest_has_a_test_for_each(house):
    out = run_pytest(house, "scenarios")
    assert "PASSED scenarios/several.yaml::good" in out and "FAILED scenarios/several.yaml::bad - " in out
    assert ">   10 |   - include: steps.inc.yaml" in out and "1 failed, 1 passed" in out
    assert "1 passed" in run_pytest(house, "scenarios/several.yaml::good")
    assert "1 passed, 1 deselected" in run_pytest(house, "scenarios", "-k", "good")
    (house / "scenarios/several.yaml").write_text(TEXT.replace("steps.inc", "nowhere"))
    assert "cannot read the file scenarios/nowhere.yaml" in run_pytest(house, "scenarios")


def test_the_report_shows_each(house, monkeypatch):
    results = [model.api.Result.from_json(json.loads(line))
               for line in bootjack(house, "run", "scenarios", "--json", "-v").stdout.splitlines()]
    monkeypatch.chdir(house)
    report = model.make(results, house / "scenarios/rules.yaml")
    assert [(entry.name, entry.shows, bool(entry.source)) for entry in report.entries] == [
        ("several good", "accept", True), ("several bad", "refuse", True)]
    assert [len(side) for side in report.by_rule[0][2:]] == [1, 1, 0]
