# SPDX-License-Identifier: Apache-2.0
"""Scenario to capture to scenario: what is made of a capture, run and captured, gives the same scenario again, in everything
but comments. Over all scenarios of topics whose conversations a capture holds whole; elsewhere a script may do what no
capture shows (a power cut, a fault inside a flight, an account that only the factory knows)."""
import pytest

from harness.pytest_bootjack import api

TOPICS = ["delete", "finish", "good", "interop", "objects", "retry"]


def run(*arguments):
    done = api.call(*arguments)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def without_comments(file):
    return "".join(line for line in file.read_text().splitlines(True) if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("topic", TOPICS)
def test_the_second_scenario_is_the_first(topic, tmp_path):
    run("run", api.ROOT / "scenarios" / topic, "--pcap", tmp_path / "captures")
    captures = sorted((tmp_path / "captures").glob("*.pcapng"))
    assert len(captures) > 4
    for capture in captures:
        first, second = tmp_path / f"{capture.stem}.1.yaml", tmp_path / f"{capture.stem}.2.yaml"
        run("from-capture", capture, "-o", first)
        run("run", first, "--pcap", tmp_path / "again.pcapng")
        run("from-capture", tmp_path / "again.pcapng", "-o", second)
        assert without_comments(second) == without_comments(first), capture.stem
