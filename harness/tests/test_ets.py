# SPDX-License-Identifier: Apache-2.0
"""docs/ets.md is what the scenarios' names say, and no case of the specification is forgotten."""

import pytest

from harness.report import ets


def test_page_is_up_to_date():
    assert ets.main(["--check"]) == 0


def test_every_case_is_shown_or_excused():
    assert ets.missing() == []


def test_page_tells_what_is_missing(tmp_path):
    for case in ("1.1-int-0", "1.1-int-201", "1.1-int-201-again"):
        (tmp_path / f"{case}.yaml").write_text("")
    text = ets.page(tmp_path)
    assert "| 1.1-int-201 | Querying basic information in plain text | [1.1-int-201-again.yaml]" in text
    assert "| 1.1-int-203 | Querying basic information in TLV | **missing** |" in text
    assert "does not apply: needs a smartcard" in text
    assert ": 2 shown, 4 do not apply, " in text
    assert "1.1-int-0" not in ets.missing(tmp_path) and "1.1-int-203" in ets.missing(tmp_path)
    assert "1.1-int-3" not in ets.missing(tmp_path)


def test_names_that_are_no_case_are_refused(tmp_path):
    (tmp_path / "1.1-int-2010.yaml").write_text("")
    with pytest.raises(SystemExit, match="1.1-int-2010"):
        ets.page(tmp_path)
