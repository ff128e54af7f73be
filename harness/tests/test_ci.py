# SPDX-License-Identifier: Apache-2.0
"""The scripts in ci/: that they can be read by their interpreters, what ci/setup says when it may not install, how
ci/coverage counts, and what ci/bench says of the client's size and heap."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess

import pytest

from harness.pytest_bootjack import api

SCRIPTS = sorted([*(path for path in (api.ROOT / "ci").iterdir() if path.is_file()), api.ROOT / ".ci/run"])


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
    done = pretend(dpkg_query="echo installed", apt_get="touch $INSTALLED", node="", npm="", javac="", mvn="")
    assert (done.returncode, done.stdout) == (0, "ci/setup: nothing is missing\n")
    assert not (tmp_path / "done").exists()


def test_without_the_rights_the_exact_command_is_printed(pretend, tmp_path):
    done = pretend(dpkg_query="[ \"$3\" = tshark ] && exit 1; echo installed", id="echo 1000", apt_get="touch $INSTALLED",
                   node="", npm="", javac="", mvn="")
    assert done.returncode == 2
    assert ("sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends tshark"
            in done.stderr)
    assert not (tmp_path / "done").exists()


def test_what_is_missing_is_installed_and_named(pretend, tmp_path):
    done = pretend(dpkg_query="[ \"$3\" = tshark ] && exit 1; echo installed", id="echo 0", node="", npm="", javac="", mvn="",
                   apt_get="echo \"$DEBIAN_FRONTEND $*\" >>$INSTALLED")
    assert done.returncode == 0 and "installing tshark" in done.stdout
    assert (tmp_path / "done").read_text().splitlines() == [
        " update", "noninteractive install -y --no-install-recommends tshark"]


def test_a_failing_installation_is_said(pretend):
    done = pretend(dpkg_query="exit 1", id="echo 0", apt_get="echo E: no network; exit 100", node="", npm="", javac="", mvn="")
    assert done.returncode == 2
    assert "E: no network" in done.stderr and "the command was: apt-get update" in done.stderr


def test_every_package_has_a_reason():
    listed = re.search(r"<<'LIST'\n(.*?)\nLIST", (api.ROOT / "ci/setup").read_text(), re.S)[1].splitlines()
    assert len(listed) >= 20 and all(len(line.split(maxsplit=1)) == 2 for line in listed)


def script(name):
    """A script in ci/ as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(api.ROOT / "ci" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


LCOV = """SF:{root}/client/src/util/uri.c
DA:3,7
DA:4,0
end_of_record
SF:../../client/src/client.c
{client}
end_of_record
SF:{root}/client/tests/client_uri_test.c
DA:1,0
end_of_record
SF:{root}/client/src/util/uri.c
DA:4,2
DA:5,0
end_of_record
"""


@pytest.mark.parametrize("reached, status", [(7, 0), (6, 1)])
def test_coverage_counts_lines_of_the_client_from_all_programs(reached, status, monkeypatch, capsys, tmp_path):
    """A line counts as reached when any program reached it; tests and other folders are not counted."""
    coverage = script("coverage")
    client = "\n".join(f"DA:{line},{line <= reached}" for line in range(1, 8))
    monkeypatch.setattr(coverage, "run", lambda *command, **more: LCOV.format(
        root=api.ROOT, client=client.replace("True", "1").replace("False", "0")) if "export" in command else "")
    monkeypatch.setattr(coverage, "COUNTS", tmp_path)
    (tmp_path / "1.profraw").touch()
    monkeypatch.setattr("sys.argv", ["ci/coverage", "--no-run", "--lines", "uri.c"])
    assert coverage.main() == status
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("client/src/util/uri.c:5: ") and not out[1].startswith("client/src")
    assert f"{reached + 2:5} of    10  client/ in all" in out[-1] and len(out) == 4


def test_coverage_without_counts_says_so(monkeypatch, capsys, tmp_path):
    coverage = script("coverage")
    monkeypatch.setattr(coverage, "COUNTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["ci/coverage", "--no-run"])
    with pytest.raises(SystemExit) as ended:
        coverage.main()
    assert ended.value.code == 2 and "no counts yet" in capsys.readouterr().err


def test_bench_measures_the_heap(capsys):
    script("bench").heap()
    own, process = map(int, re.search(r"(\d+) bytes at most of the client's own.*, (\d+) bytes of malloc", capsys.readouterr().out).groups())
    assert 1000 < own < process < 1000000
