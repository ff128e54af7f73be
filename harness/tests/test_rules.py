# SPDX-License-Identifier: Apache-2.0
"""docs/rules.md is what ci/rules writes, and every rule of the level MUST is shown from both sides."""
import pathlib

import pytest

from harness.rules import __main__ as command
from harness.rules import page

RULES = """\
rules:
  # --- the plain course ---------------------------
  - {id: SHOWN, class: good, level: MUST, clause: "RFC 1 §1", text: "It is so."}
  - {id: WATCHED, class: good, level: MUST, oracle: message, clause: "RFC 1 §2", text: "It is always so."}
  # --- what is left open --------------------------
  - {id: HALF, class: good, level: MUST, clause: "RFC 1 §3", text: "It is half so."}
  - {id: LEFT-OPEN, class: good, level: MAY, clause: "RFC 1 §4", text: "It may be so."}
"""
PLANTED = "- {name: breaks-it, rule: WATCHED, text: broken, edits: []}\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    folder = tmp_path / "scenarios"
    (folder / "canary").mkdir(parents=True)
    (folder / "rules.yaml").write_text(RULES)
    (tmp_path / "planted.yaml").write_text(PLANTED)
    (folder / "one.yaml").write_text("title: t\nrules: [SHOWN, HALF]\nshows: accept\nsteps: [note: a]\n")
    (folder / "two.yaml").write_text("title: t\nrules: [SHOWN]\nshows: refuse\nparameters: {p: [a, b]}\nsteps: [note: \"${p}\"]\n")
    (folder / "canary/nonsense.yaml").write_text("title: t\nrules: [HALF]\nshows: refuse\nsteps: [note: a]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gather(house):
    return page.gather(house / "scenarios/rules.yaml", house / "scenarios", house / "planted.yaml", house)


def test_the_page_is_up_to_date(capsys):
    assert command.main(["--check"]) == 0, capsys.readouterr().err


def test_sides_and_cases_are_counted(house):
    rules = {rule.id: rule for rule in gather(house)}
    assert [len(rules["SHOWN"].accept), len(rules["SHOWN"].refuse)] == [1, 2]
    text = page.write(rules.values(), RULES)
    assert "## The plain course" in text and "## What is left open" in text
    assert "| [one](../scenarios/one.yaml) | [two](../scenarios/two.yaml) (2) |" in text
    assert "| oracle `message` | defects: `breaks-it` |" in text
    assert "4 rules, 3 of them MUST; 3 scenarios show them." in text


def test_a_scenario_without_a_must_says_so(house):
    (house / "scenarios/rules.yaml").write_text(RULES + "  - {id: WISHED, class: good, level: SHOULD, text: \"It should.\"}\n")
    head = "title: t\nshows: accept\nsteps: [note: a]\n"
    (house / "scenarios/soft.yaml").write_text(head + "rules: [WISHED]\n")
    (house / "scenarios/hard.yaml").write_text(head + "rules: [WISHED, SHOWN]\nlevel: should\n")
    wrong = page.problems(gather(house))
    assert "scenarios/soft.yaml: it shows a SHOULD and no MUST: `level: should`" in wrong
    assert "scenarios/hard.yaml: `level: should`, but it shows a MUST" in wrong
    (house / "scenarios/soft.yaml").write_text(head + "rules: [WISHED]\nlevel: should\n")
    assert not any("soft.yaml" in problem for problem in page.problems(gather(house)))


def test_a_must_with_one_side_is_a_problem(house):
    assert page.problems(gather(house)) == ["HALF: a MUST without a scenario where it is refused"]
    (house / "scenarios/two.yaml").unlink()
    (house / "planted.yaml").write_text("[]")
    (house / "message_test.c").write_text("assert_broken(BJ_RULE_WATCHED, \"text\");")
    assert "WATCHED: a MUST without a scenario where it is refused" not in page.problems(gather(house))
    (house / "message_test.c").unlink()
    assert page.problems(gather(house)) == [
        "SHOWN: a MUST without a scenario where it is refused", "WATCHED: a MUST without a scenario where it is refused",
        "HALF: a MUST without a scenario where it is refused"]


def test_a_page_that_is_out_of_date_is_said_and_written_anew(house, monkeypatch, capsys):
    (house / "scenarios/one.yaml").write_text("title: t\nrules: [SHOWN]\nshows: accept\nsteps: [note: a]\n")
    (house / "scenarios/rules.yaml").write_text("".join(line for line in RULES.splitlines(True) if "HALF" not in line))
    monkeypatch.setattr(page, "PAGE", pathlib.Path(house / "rules.md"))
    monkeypatch.setattr(page, "ROOT", house)
    monkeypatch.setattr(page, "CATALOGUE", house / "scenarios/rules.yaml")
    monkeypatch.setattr(page, "gather", lambda _gather=page.gather: _gather(page.CATALOGUE, house / "scenarios", house / "planted.yaml", house))
    assert command.main(["--check"]) == 1 and "rules.md is out of date" in capsys.readouterr().err
    assert command.main([]) == 0 and command.main(["--check"]) == 0
    (house / "scenarios/two.yaml").write_text("title: [\nsteps:\n")
    assert command.main([]) == 2 and "not YAML" in capsys.readouterr().err
