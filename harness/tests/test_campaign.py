# SPDX-License-Identifier: Apache-2.0
"""ci/campaign, which is ci/fuzz with hours: both engines take turns at a target and share what they find; an interrupted campaign goes on; what a turn came to
is a line of its log."""
import json
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from fuzz import targets
from harness.pytest_bootjack import api

TARGET = "uri"
COMMAND = [sys.executable, str(api.ROOT / "ci" / "fuzz"), "--targets", TARGET, "--jobs", "1", "--slice", "1"]

pytestmark = [pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (ci/setup)")
              for program in ("clang", "afl-fuzz", "afl-clang-fast")]


def campaign(folder, seconds, *options):
    done = subprocess.run([*COMMAND, "--folder", str(folder), "--hours", str(seconds / 3600), *options], cwd=api.ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def turns(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A campaign of a few turns."""
    path = tmp_path_factory.mktemp("campaign")
    campaign(path, 8)
    return path


def test_builds_in_one_folder_wait_for_each_other(tmp_path, monkeypatch):
    """Of two campaigns that begin at once in a fresh clone, both run ninja there."""
    at_once, most = [], []

    def run(words, **_):
        at_once.append(words)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.remove(words)

    monkeypatch.setattr(targets.subprocess, "run", run)
    builders = [threading.Thread(target=targets.build, args=([TARGET], tmp_path)) for _ in range(3)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert most == [1] * 6  # each configures, for nobody does, and builds


def test_what_compiles_the_seeds_is_built_with_the_targets_that_take_programs(tmp_path, monkeypatch):
    """The sources have moved on, and an older one does not know what stands in scenarios/ now."""
    built = []
    monkeypatch.delenv("BOOTJACK", raising=False)
    monkeypatch.setattr(targets.subprocess, "run", lambda words, **_: built.append(words) if words[0] == "ninja" else None)
    monkeypatch.setattr(targets, "RELEASE", tmp_path / "release")
    (tmp_path / "release").mkdir()
    targets.build([TARGET], tmp_path)
    assert [words[3:] for words in built] == [[f"fuzz/fuzz_{TARGET}"]]
    targets.build(["bootstrap_session"], tmp_path)
    assert [words[2:] for words in built[1:]] == [[str(tmp_path / "release"), "bootjack"], [str(tmp_path), "fuzz/fuzz_bootstrap_session"]]


def test_both_engines_have_turns(folder):
    assert {turn["engine"] for turn in turns(folder)} == {"libFuzzer", "AFL++"}
    assert all(turn["executions"] > 0 and turn["coverage"] > 0 and turn["findings"] == 0 for turn in turns(folder))


def test_afl_takes_over_what_libfuzzer_found(folder):
    """The seeds are few: libFuzzer's first turn finds more."""
    queue = [path.name for path in (folder / "afl" / TARGET / "main" / "queue").iterdir()]
    assert any(f"sync:{TARGET}" in name for name in queue), queue


def test_the_report_has_a_row_for_each_engine(folder):
    page = (folder / "report.html").read_text()
    assert f"<td>{TARGET}</td><td>AFL++</td>" in page
    assert f"<td>{TARGET}</td><td>libFuzzer</td>" in page


def test_a_campaign_goes_on_where_it_was_interrupted(tmp_path):
    words = [*COMMAND, "--folder", str(tmp_path), "--hours", "1"]
    lines = []
    with subprocess.Popen(words, cwd=api.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        for line in running.stdout:
            lines.append(line)
            if f"{TARGET} " in line:  # the first turn is over
                running.send_signal(signal.SIGTERM)
                break
        lines.append(running.stdout.read())
    assert running.returncode == 0, "".join(lines)
    before = turns(tmp_path)
    spent = sum(turn["seconds"] for turn in before)
    said = campaign(tmp_path, spent + 2)
    after = turns(tmp_path)
    assert after[:len(before)] == before and len(after) > len(before)
    assert f"{sum(turn['executions'] for turn in after)} executions" in said
    campaign(tmp_path, spent)  # its time is over: it only concludes
    assert turns(tmp_path) == after
    assert f"{TARGET} " in campaign(tmp_path, 1, "--status")


def test_an_engine_that_is_asked_for_and_not_there(tmp_path):
    done = subprocess.run([*COMMAND, "--hours", "1", "--folder", str(tmp_path), "--engines", "AFL++"], cwd=api.ROOT, capture_output=True, text=True,
                          env={"PATH": "/nonexistent", "HOME": "/"}, check=False)
    assert done.returncode == 2
    assert "AFL++ is not installed (ci/setup)" in done.stderr
