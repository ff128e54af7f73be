# SPDX-License-Identifier: Apache-2.0
"""The scripts in ci/: that they can be read by their interpreters, and what ci/setup says when it may not install."""
import os
import re
import subprocess

import pytest

from harness.pytest_bootjack import api

SCRIPTS = sorted([*(api.ROOT / "ci").iterdir(), api.ROOT / ".ci/run"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_have_no_mistake_in_their_syntax(script):
    first = script.read_text().splitlines()[0]
    if "python" in first:
        compile(script.read_text(), str(script), "exec")
    elif "bash" in first or script.suffix == ".sh":
        subprocess.run(["bash", "-n", script], check=True)
    if script.suffix != ".sh":
        assert first.startswith("#!") and os.access(script, os.X_OK)


@pytest.fixture
def pretend(tmp_path):
    """Runs ci/setup where other programs stand in for some of the system's."""

    def run(**programs):
        for name, text in programs.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        environment = {**os.environ, "DEBIAN_FRONTEND": "", "PATH": f"{tmp_path}:{os.environ['PATH']}", "INSTALLED": str(tmp_path / "done")}
        return subprocess.run([api.ROOT / "ci/setup"], env=environment, capture_output=True, text=True, timeout=60,
                              check=False)

    return run


def test_nothing_is_missing_nothing_is_done(pretend, tmp_path):
    done = pretend(dpkg_query="echo installed", apt_get="touch $INSTALLED", node="", npm="")
    assert (done.returncode, done.stdout) == (0, "ci/setup: nothing is missing\n")
    assert not (tmp_path / "done").exists()


def test_without_the_rights_the_exact_command_is_printed(pretend, tmp_path):
    done = pretend(dpkg_query="[ \"$3\" = tshark ] && exit 1; echo installed", id="echo 1000", apt_get="touch $INSTALLED",
                   node="", npm="")
    assert done.returncode == 2
    assert ("sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends tshark"
            in done.stderr)
    assert not (tmp_path / "done").exists()


def test_what_is_missing_is_installed_and_named(pretend, tmp_path):
    done = pretend(dpkg_query="[ \"$3\" = tshark ] && exit 1; echo installed", id="echo 0", node="", npm="",
                   apt_get="echo \"$DEBIAN_FRONTEND $*\" >>$INSTALLED")
    assert done.returncode == 0 and "installing tshark" in done.stdout
    assert (tmp_path / "done").read_text().splitlines() == [
        " update", "noninteractive install -y --no-install-recommends tshark"]


def test_a_failing_installation_is_said(pretend):
    done = pretend(dpkg_query="exit 1", id="echo 0", apt_get="echo E: no network; exit 100", node="", npm="")
    assert done.returncode == 2
    assert "E: no network" in done.stderr and "the command was: apt-get update" in done.stderr


def test_every_package_has_a_reason():
    listed = re.search(r"<<'LIST'\n(.*?)\nLIST", (api.ROOT / "ci/setup").read_text(), re.S)[1].splitlines()
    assert len(listed) >= 20 and all(len(line.split(maxsplit=1)) == 2 for line in listed)
