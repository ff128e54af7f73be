# SPDX-License-Identifier: Apache-2.0
"""ci/templates/Containerfile, without building it: what it copies is there, what it runs can be run, the packages of its
second stage are those that the program and its report need, and that stage's files are enough."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.pytest_bootjack import api

FILE = api.ROOT / "ci/templates/Containerfile"


def instructions():
    """[(word, rest)] with continued lines put together."""
    text = re.sub(r"(?m)^#.*\n", "", FILE.read_text()).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def rest_of(word):
    return [rest for name, rest in instructions() if name == word]


def installed():
    return set(re.search(r"--no-install-recommends\s+(.*?)&&", " ".join(rest_of("RUN"))).group(1).split())


def packages_of(path):
    """Of the libraries that a program names itself, but for the C library's."""
    named = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout)
    known = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    for name in named:
        place = re.search(rf"{re.escape(name)} => (\S+)", known)
        if place:
            file = os.path.realpath(place.group(1))
            for candidate in (file, file.removeprefix("/usr")):
                done = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    yield done.stdout.split(":")[0]
                    break


def test_its_steps_are_the_projects_own():
    runs = rest_of("RUN")
    assert runs[:2] == ["ci/setup", "ci/build release"]
    for step in runs[:2]:
        assert os.access(api.ROOT / step.split()[0], os.X_OK)
    assert "release" in [preset["name"] for preset in json.loads((api.ROOT / "CMakePresets.json").read_text())["configurePresets"]]


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="only Debian knows its packages")
def test_its_packages_are_those_that_the_programs_need():
    needed = set(packages_of(api.find_bootjack())) - {"libc6"}
    assert needed and needed <= installed(), needed - installed()
    for name in installed():
        assert subprocess.run(["dpkg-query", "-W", name], capture_output=True, check=False).returncode == 0, name


def test_what_it_copies_is_enough_for_a_run_with_its_report(tmp_path):
    """The same files in the same arrangement elsewhere: a scenario is played and a page is written."""
    for rest in rest_of("COPY"):
        if rest.startswith("--from=build "):
            source, target = (pathlib.Path(path).relative_to("/bootjack") for path in rest.split()[1:])
            place = tmp_path / target
            if (api.ROOT / source).is_dir():
                shutil.copytree(api.ROOT / source, place)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(api.ROOT / source, place)
    entry = pathlib.Path(json.loads(rest_of("ENTRYPOINT")[0])[0]).relative_to("/bootjack")
    (tmp_path / "pytest.py").write_text("raise ModuleNotFoundError('the image has no pytest')\n")
    done = subprocess.run([tmp_path / entry, "run", tmp_path / "scenarios/good/first-bootstrap.yaml", "--report", tmp_path / "report"],
                          capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "report/index.html").is_file()
    words = json.loads(rest_of("CMD")[0])
    words[2] = str(tmp_path / pathlib.Path(words[2]).relative_to("/bootjack"))
    done = subprocess.run([tmp_path / entry, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "--listen" in done.stdout


def test_its_example_is_a_command_that_bootjack_takes():
    example = re.search(r"bootjack (serve .*)--interactive", FILE.read_text().replace("\\\n#", " "))
    options = set(re.findall(r"--[a-z-]+", example.group(1)))
    shown = api.call("serve", "--suite", ".", "--help").stdout
    assert options <= set(re.findall(r"--[a-z-]+", shown))
