# SPDX-License-Identifier: Apache-2.0
"""The tools of ci/teeth: that a defect stands where it should, that a table that does not fit is refused, that mutants
are found where a reader would look for them. That the suite kills the planted defects is ci/test's own step."""
import os
import pathlib

import pytest

from fuzz import teeth
from harness.teeth import equivalent, insertions, mutants, planted

ROOT = pathlib.Path(__file__).resolve().parents[2]
Insertion = insertions.Insertion

SOURCE = """/* a file */
static int twice(int number) {
    if (number > 3 && number < 9) {
        number = number + 1;
    }
    while (number > 100) {
        number--;
    }
    return number * 2;
}
"""


def test_spans_beside_and_inside_one_another():
    data = b"a + b * c"
    put_in = [Insertion(4, 9, "(", ")"), Insertion(0, 9, "[", "]"), Insertion(4, 5, "<", ">"), Insertion(0, 1, "{", "}")]
    assert insertions.apply(data, put_in) == b"[{a} + (<b> * c)]"


def test_the_same_span_twice_nests():
    assert insertions.apply(b"x", [Insertion(0, 1, "(", ")"), Insertion(0, 1, "[", "]")]) in (b"([x])", b"[(x)]")


def test_spans_that_cut_one_another_are_refused():
    with pytest.raises(insertions.Overlap):
        insertions.apply(b"abcdef", [Insertion(0, 4, "(", ")"), Insertion(2, 6, "(", ")")])


def edit(**changes):
    return planted.Edit(**{"file": "twice.c", "function": "twice", "find": "number * 2", "expression": "number * 3",
                           "statement": None, **changes})


def plant(tmp_path, one):
    (tmp_path / "twice.c").write_text(SOURCE)
    return planted.plant(tmp_path, [planted.Defect("name", "RULE", "text", (one,))], 7)


def test_an_expression_gets_a_switch(tmp_path):
    by_file = plant(tmp_path, edit())
    changed = insertions.apply(SOURCE.encode(), by_file["twice.c"]).decode()
    assert "return (bj_planted(7) ? (number * 3) : (number * 2));" in changed


def test_a_statement_gets_a_switch(tmp_path):
    by_file = plant(tmp_path, edit(find="number--;", expression=None, statement=""))
    changed = insertions.apply(SOURCE.encode(), by_file["twice.c"]).decode()
    assert "if (bj_planted(7)) {  } else { number--; }" in changed


@pytest.mark.parametrize("change, complaint", [
    ({"find": "number"}, "holds what is to be broken 7 times"),
    ({"find": "letter"}, "holds what is to be broken 0 times"),
    ({"function": "thrice"}, "function thrice is defined 0 times"),
    ({"file": "other.c"}, "other.c"),
    ({"expression": None}, "needs `expression` or `statement`"),
])
def test_an_edit_that_does_not_fit_is_named(tmp_path, change, complaint):
    with pytest.raises(planted.Mistake, match=f"name: .*{complaint}"):
        plant(tmp_path, edit(**change))


def test_two_defects_of_one_name(tmp_path):
    table = tmp_path / "table.yaml"
    row = "- {name: one, rule: R, text: t, edits: [{file: f, in: g, find: h, expression: i}]}\n"
    table.write_text(row * 2)
    with pytest.raises(planted.Mistake, match="two defects are called one"):
        planted.read(table)


def test_the_table_names_rules_of_the_catalogue():
    catalogue = (ROOT / "scenarios/rules.yaml").read_text()
    for defect in planted.read():
        assert f"id: {defect.rule}," in catalogue, f"{defect.name} breaks {defect.rule}, which is no rule"
        assert defect.text.endswith("."), defect.name


def test_the_table_fits_the_sources():
    planted.plant(ROOT, planted.read(), 1)


def test_every_rule_has_a_planted_defect():
    assert planted.rules_without(planted.read()) == []
    assert planted.rules_without(planted.read(), ["BS-REQUEST", "NO-SUCH-RULE"]) == ["NO-SUCH-RULE"]


def folder_with(tmp_path, source):
    folder = tmp_path / mutants.FOLDER
    folder.mkdir(parents=True)
    (folder / "twice.c").write_text(source)
    return tmp_path


def test_mutants_of_a_function(tmp_path):
    folder_with(tmp_path, SOURCE)
    found = {(mutant.line, mutant.kind, mutant.text) for mutant in mutants.find(tmp_path)}
    assert found == {
        (3, "negated", "number > 3 && number < 9"), (3, "negated", "number > 3"), (3, "negated", "number < 9"),
        (3, "constant", "3"), (3, "constant", "9"), (4, "deleted", "number = number + 1;"), (4, "constant", "1"),
        (6, "not entered", "number > 100"), (6, "constant", "100"), (7, "deleted", "number--;"), (9, "constant", "2"),
    }


TALKS = """void bjc_log(int number);
int snprintf(char *out, unsigned long size, const char *format, ...);
void speak(const char **cause, char *text, int number);
void speak(const char **cause, char *text, int number) {
    char reason[9];
    bjc_log(number + 1);
    if (number > 7) {
        bjc_log(7);
    }
    *cause = number > 5 ? "more" : "less";
    snprintf(reason, 9, "x");
    snprintf(text, sizeof reason, "y");
}
"""


def test_what_only_talks_is_left_alone(tmp_path):
    found = {(mutant.line, mutant.kind, mutant.text) for mutant in mutants.find(folder_with(tmp_path, TALKS))}
    assert found == {(12, "deleted", 'snprintf(text, sizeof reason, "y");')}


def test_a_mutant_is_told_by_its_function_and_line(tmp_path):
    one = mutants.find(folder_with(tmp_path, SOURCE))[0]
    assert (one.function, one.context) == ("twice", "if (number > 3 && number < 9) {")
    assert b"if (!(number > 3 && number < 9)) {" in one.source(SOURCE.encode())


def test_the_compiler_knows_what_is_no_change(tmp_path):
    source = SOURCE.replace("number = number + 1;", "number = number & 6; number += number < 0 ? 7 : 0;")
    found = mutants.find(folder_with(tmp_path, "int twice(int number);\n" + source.replace("static ", "")))
    same = [mutant.text for mutant in found if equivalent.same_code(tmp_path, mutant)]
    assert "7" in same and "3" not in same and "number--;" not in same


def entry(**changes):
    return equivalent.Entry(**{"file": f"{mutants.FOLDER}/twice.c", "function": "twice", "kind": "constant", "text": "3",
                               "context": "", "nth": 1, "reason": "so it is", **changes})


def test_listed_equivalents_belong_to_a_mutant(tmp_path):
    found = mutants.find(folder_with(tmp_path, SOURCE))
    assert list(equivalent.listed([entry()], found).values()) == ["so it is"]
    for wrong in (entry(text="4"), entry(function="thrice"), entry(context="while"), entry(nth=2)):
        with pytest.raises(equivalent.Mistake, match="has no such mutant"):
            equivalent.listed([wrong], found)
    with pytest.raises(equivalent.Mistake, match="stands there twice"):
        equivalent.listed([entry(), entry(reason="again")], found)


def test_the_list_of_equivalents_fits_the_sources():
    entries = equivalent.read()
    assert len(equivalent.listed(entries, mutants.find(ROOT))) == len(entries)
    assert all(one.reason.endswith(".") for one in entries)


def test_a_hunt_goes_on_where_a_target_ends_as_its_time_is_over(tmp_path, monkeypatch):
    target = tmp_path / "fuzz" / "fuzz_bootstrap_session"
    target.parent.mkdir()
    target.write_text("#!/bin/sh\nsleep 0.3\necho Test unit written to here >&2\nexit 77\n")
    target.chmod(0o755)

    def ends_now(pid):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return 1e9
    monkeypatch.setattr(teeth, "BUILD", tmp_path)
    monkeypatch.setattr(teeth, "used", ends_now)
    log, found, _ = teeth.run("bootstrap_session", "no-such-defect", 1)
    assert found and "here" in log
