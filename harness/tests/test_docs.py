# SPDX-License-Identifier: Apache-2.0
"""The documentation says what the sources say, and its examples work."""
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api

PAGES = [api.ROOT / "README.md", *sorted((api.ROOT / "docs").glob("*.md"))]
HEADER = (api.ROOT / "fake_bootstrap_server/log/eventlog.h").read_text()
EVENT_LOG = (api.ROOT / "docs/event-log.md").read_text()


def blocks(language):
    """(page:line, text) of each fenced block."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
            line = text[: match.start()].count("\n") + 2
            found.append(pytest.param(match[1], id=f"{page.name}:{line}"))
    return found


def test_every_kind_of_event_is_documented():
    kinds = HEADER.split("BJ_EVENT_KINDS(X)")[1].split("typedef")[0]
    numbers = dict(re.findall(r"X\((\d+), \w+, \"([a-z-]+)\"\)", kinds))
    documented = dict(re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", EVENT_LOG, re.M))
    assert documented == numbers and len(numbers) >= 28


def test_every_verdict_is_documented():
    verdicts = re.findall(r"X\((\d), [A-Z]+, \"([a-z]+)\"\)", HEADER.split("BJ_VERDICTS(X)")[1])
    assert re.findall(r"(\d) `([a-z]+)`", EVENT_LOG.split("Verdicts: ")[1].split("\n")[0]) == verdicts
    assert set(api.VERDICTS) == {name for _, name in verdicts}
    readme = (api.ROOT / "README.md").read_text()
    assert all(f"| `{name}` |" in readme for _, name in verdicts)


def test_the_version_is_documented():
    version = re.search(r"BJ_LOG_VERSION = (\d+)", HEADER)[1]
    assert f"version {version}:" in EVENT_LOG


def as_scenario(text):
    """A whole scenario as it is; a list of steps with the head that it needs."""
    if not text.startswith("- "):
        return text
    steps = "".join(f"  {line}\n" for line in text.splitlines())
    return f"title: Steps of an example\nservers: {{bs: ~, mgmt: ~, second: ~}}\nsteps:\n{steps}"


@pytest.mark.parametrize("text", blocks("yaml"))
def test_examples_of_scenarios_can_be_loaded(text, tmp_path):
    (tmp_path / "steps").symlink_to(api.ROOT / "scenarios/steps")  # what examples include
    file = tmp_path / "example.yaml"
    (tmp_path / "pki").symlink_to(api.ROOT / "scenarios/security/pki")
    file.write_text(as_scenario(text))
    done = subprocess.run([api.find_bootjack(), "check", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def commands():
    """Lines of sh blocks that run something at once: those of one page, which may need what the ones before wrote."""
    pages = {}
    for block in blocks("sh"):
        lines = [line for line in block.values[0].splitlines()
                 if line.startswith(("build/release/bin/bootjack ", "/usr/bin/python3 -m pytest"))]
        pages.setdefault(block.id.split(":")[0], []).extend(lines)
    return [pytest.param(lines, id=page) for page, lines in pages.items() if lines]


@pytest.mark.xdist_group("test_docs-commands")  # two pages name the same file of build/
@pytest.mark.parametrize("lines", commands())
def test_examples_of_commands_work(lines):
    for line in lines:
        words = shlex.split(line)
        if words[0].endswith("bootjack"):
            words[0] = str(api.find_bootjack())
        done = subprocess.run(words, cwd=api.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300, check=False)
        assert done.returncode == 0, line + "\n" + done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("text", blocks("python"))
def test_examples_in_python_work(text, tmp_path):
    """As a module: what it does at once, and the tests that it holds, in a process of their own."""
    (tmp_path / "test_example.py").write_text(text)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bootjack.fixtures"]\n')
    tests = "def test_" in text or "@given" in text
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path] if tests else [tmp_path / "test_example.py"]
    done = subprocess.run([sys.executable, *command], cwd=api.ROOT, env={**os.environ, "PYTHONPATH": str(api.ROOT)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]*)[^)]*\)", page.read_text()):
            assert not target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_layout_names_folders_that_exist():
    for folder in re.findall(r"^\| (`[a-z_/`, ]+`) \|", (api.ROOT / "README.md").read_text(), re.M):
        for name in re.findall(r"`([a-z_/]+/)`", folder):
            assert pathlib.Path(api.ROOT / name).is_dir(), name


def test_the_guide_names_every_verb_and_due_time():
    guide = (api.ROOT / "docs/scenario-language.md").read_text()
    schema = (api.ROOT / "fake_bootstrap_server/script/schema.h").read_text()
    verbs = re.findall(r"R\(\d+, [A-Z]+, \"([a-z-]+)\", 1,", schema)
    assert len(verbs) >= 29 and [verb for verb in verbs if f"`{verb}`" not in guide] == []
    printer = (api.ROOT / "fake_bootstrap_server/script/print.c").read_text()
    names = re.findall(r"\"([a-z]+)\"", re.search(r"due_names\[\] = \{(.*?)\}", printer, re.S)[1])
    assert [name for name in names if name != "wake" and f"`due({name})`" not in guide] == []


def test_the_messages_are_those_of_the_programs():
    """Each fixed part of a message in docs/messages.md stands in a string of the sources."""
    folders = ("harness/cli", "harness/attach", "harness/world", "fake_bootstrap_server/script")
    sources = "\n".join(p.read_text() for folder in folders for p in sorted((api.ROOT / folder).glob("*.c")))
    sources = re.sub(r"\"\s*\n\s*\"", "", sources)  # string literals that continue
    text = (api.ROOT / "docs/messages.md").read_text()
    messages = re.findall(r"`([^`]*…[^`]*|the client cannot be told [^`]*|[a-z ]+ nothing is to come|no scenario[^`]*)`", text)
    assert len(messages) >= 30
    parts = [part for message in messages for part in re.split(r"…", message.removeprefix("FILE:LINE:COLUMN: "))]
    missing = [part for part in parts if len(part.strip(" '(){}?:;")) > 3 and not found_in(sources, part)]
    assert missing == []


def found_in(sources, part):
    """Some are put together from pieces."""
    pieces = re.split(r"^expected |, found $| \(did you mean |; it can be", part)
    return all(piece.strip(" '()") in sources for piece in pieces if piece)
