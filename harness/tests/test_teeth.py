# SPDX-License-Identifier: Apache-2.0
"""The tools of ci/teeth: that a defect stands where it should, that a table that does not fit is refused, that mutants
are found where a reader would look for them. That the suite kills the planted defects is ci/test's own step."""
import pathlib

import pytest

from harness.teeth import insertions, mutants, planted

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


def test_mutants_of_a_function(tmp_path):
    folder = tmp_path / mutants.FOLDER
    folder.mkdir(parents=True)
    (folder / "twice.c").write_text(SOURCE)
    found = {(mutant.line, mutant.kind, mutant.text) for mutant in mutants.find(tmp_path)}
    assert found == {
        (3, "negated", "number > 3 && number < 9"), (3, "negated", "number > 3"), (3, "negated", "number < 9"),
        (3, "constant", "3"), (3, "constant", "9"), (4, "deleted", "number = number + 1;"), (4, "constant", "1"),
        (6, "not entered", "number > 100"), (6, "constant", "100"), (7, "deleted", "number--;"), (9, "constant", "2"),
    }
