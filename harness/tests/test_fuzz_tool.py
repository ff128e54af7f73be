# SPDX-License-Identifier: Apache-2.0
"""bootjack-fuzz: exhaustive search finds planted defects and nothing in the client as it is; triage makes what was found small,
groups it, and writes scenarios; wrong input is said to be wrong."""
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree

import pytest

from harness.pytest_bootjack import api
from harness.teeth import planted, tree

ALPHABET = api.ROOT / "fuzz/search/bootstrap.yaml"


def tool(*arguments, program=None, plant=""):
    program = program or pathlib.Path(api.find_bootjack()).parent / "bootjack-fuzz"
    return subprocess.run([program, *map(str, arguments)], cwd=api.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600, check=False, env={**os.environ, tree.SWITCH: plant})


@pytest.fixture(scope="session")
def broken_tool():
    """The program with all planted defects in it, each behind its switch."""
    defects = planted.read()
    by_file = planted.plant(tree.ROOT, defects, 1)
    folder = tree.build(by_file, [defect.name for defect in defects], ("bootjack-fuzz",))
    return folder / "bootjack-fuzz"


def test_our_client_comes_through_every_sequence_of_three():
    done = tool("search", ALPHABET, "--depth", 3, "--jobs", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    played, total, kinds = re.search(r"^(\d+) of (\d+) sequences .* (\d+) kinds of findings$", done.stdout, re.M).groups()
    cases = len(re.findall(r"^    event:", ALPHABET.read_text(), re.M))
    assert int(played) == int(total) == cases + cases**2 + cases**3 and kinds == "0"


def test_it_says_what_is_wrong_with_an_alphabet(tmp_path):
    (tmp_path / "none.yaml").write_text("title: No cases\nsteps: [note: search]\n")
    done = tool("search", tmp_path / "none.yaml")
    assert done.returncode == 2 and "an alphabet has from 1 to 64 cases" in done.stderr
    (tmp_path / "unmarked.yaml").write_text("title: Unmarked\ncases: {one: {event: [advance: 1s]}}\nsteps: ['${event}']\n")
    done = tool("search", tmp_path / "unmarked.yaml")
    assert done.returncode == 2 and "no step behind the step `note: search`" in done.stderr


@pytest.mark.parametrize("arguments, told", [
    (["search"], "one alphabet is to be named"), (["search", "--depth", "99", "x"], "--depth takes a number from 1 to 16"),
    (["search", "--jobs", "none", "x"], "--jobs takes"), (["triage"], "at least one file"), (["triage", "--tries", "-1", "x"], "--tries"),
    (["replay"], "one file"), (["dance"], "there is no command 'dance'"), ([], "usage")])
def test_wrong_usage(arguments, told):
    done = tool(*arguments)
    assert done.returncode == 64 and told in done.stderr
