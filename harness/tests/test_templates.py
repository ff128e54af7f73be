# SPDX-License-Identifier: Apache-2.0
"""ci/templates: the steps of the CI files, run here in a firmware repository that is made for the purpose; and ci/firmware,
which they call. Bootjack's own client stands in for the firmware's."""
import json
import os
import pathlib
import subprocess

import pytest
import yaml

from harness.pytest_bootjack import api

TEMPLATES = api.ROOT / "ci" / "templates"
FEW = ["scenarios/good/first-bootstrap.yaml", "scenarios/good/factory-account.yaml"]


@pytest.fixture
def firmware(tmp_path):
    """A repository with a Makefile, a profile, and Bootjack as a submodule."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/bootjack").symlink_to(api.ROOT)
    (tmp_path / "test").mkdir()
    profile = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())
    profile["command"][0] = str(tmp_path / "client")
    (tmp_path / "test/bootjack-profile.yaml").write_text(yaml.safe_dump(profile))
    program = pathlib.Path(api.find_bootjack()).parent / "bootjack-client"
    (tmp_path / "Makefile").write_text(f"client:\n\tcp {program} $@\n")
    return tmp_path


def steps_of_github(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def steps_of_gitlab(whole, job):
    base = whole[job["extends"]]
    return [*base["before_script"], *job["script"], *job.get("after_script", [])]


def jobs():
    github = yaml.safe_load((TEMPLATES / "github-actions.yml").read_text())
    gitlab = yaml.safe_load((TEMPLATES / "gitlab-ci.yml").read_text())
    for name in ("conformance", "night"):
        yield pytest.param(steps_of_github(github["jobs"][name]), name, id=f"github-{name}")
        yield pytest.param(steps_of_gitlab(gitlab, gitlab[name]), name, id=f"gitlab-{name}")


def run(command, folder):
    # What the steps say, but with few scenarios and seeds, and without installing anything.
    few = " ".join(f"--scenarios tools/bootjack/{name}" for name in FEW)
    command = command.replace("ci/firmware", f"ci/firmware {few}").replace("--seeds 100", "--seeds 2").replace("--campaign 60", "--campaign 0.02")
    if command.startswith("apt-get"):
        return None
    return subprocess.run(["bash", "-e", "-c", command], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("steps, name", jobs())
def test_the_steps_of_a_template(steps, name, firmware):
    assert sum("ci/firmware" in step for step in steps) == 1
    for step in steps:
        done = run(step, firmware)
        assert done is None or done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        if done and "ci/firmware" in step:
            assert ("0 findings" in done.stdout) == (name == "night"), done.stdout
    report = firmware / ("bootjack-report" if name == "conformance" else "bootjack-night")
    assert {"index.html", "results.json", "junit.xml", "captures"} <= set(os.listdir(report))
    results = json.loads((report / "results.json").read_text())["results"]
    assert [result["verdict"] for result in results] == ["pass"] * len(FEW)
    if name == "conformance":
        again = [run(step, firmware) for step in steps]
        assert any(done and "nothing changed" in done.stdout for done in again)
        assert (report / "changes.txt").read_text() == "nothing changed\n"


def test_the_gate(firmware):
    def status(*words):
        done = run(f"tools/bootjack/ci/firmware {' '.join(words)}", firmware)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode

    assert run("make client", firmware).returncode == 0
    lazy = str(api.ROOT / "harness/tests/clients/always-5.00.yaml")
    assert status("test/bootjack-profile.yaml", "--report", "good", "--last", "nowhere.json") == 0
    assert status(lazy, "--report", "night", "--gate", "worse", "--campaign", "0.01") == 1
    assert {file.suffix for file in (firmware / "night/campaign").iterdir()} == {".yaml"}
    assert status(lazy, "--report", "first") == 1
    assert status(lazy, "--report", "second", "--last", "first/results.json", "--gate", "worse") == 0
    assert status(lazy, "--report", "third", "--last", "first/results.json") == 1
    # Another client's good results, under this one's name.
    better = (firmware / "good/results.json").read_text().replace("test/bootjack-profile.yaml", lazy)
    name = str(firmware / "test/bootjack-profile.yaml")
    (firmware / "better.json").write_text(better.replace(name, lazy))
    assert status(lazy, "--report", "fourth", "--last", "better.json", "--gate", "worse") == 1


@pytest.mark.parametrize("words, text", [
    ("", "no profile was given"),
    ("nowhere.yaml", "nowhere.yaml: no such file"),
    ("test/bootjack-profile.yaml --gate some", "expected all or worse"),
    ("test/bootjack-profile.yaml --seeds many", "expected a number"),
    ("test/bootjack-profile.yaml --campaign long", "expected minutes"),
    ("test/bootjack-profile.yaml --nonsense", "unknown option"),
    ("test/bootjack-profile.yaml --last", "--last needs a value"),
])
def test_wrong_usage(words, text, firmware):
    done = subprocess.run(["bash", "-c", f"tools/bootjack/ci/firmware {words}"], cwd=firmware, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 64 and text in done.stderr
