# SPDX-License-Identifier: Apache-2.0
"""pytest plugin: each scenario is a test: a file, or each case of a file that has cases.

    pytest scenarios -k holdoff --client harness/clients/bootjack-client.yaml --seed 7 -n auto --junitxml=results.xml

Verdicts become pytest's outcomes: pass passes, warn passes with a warning, fail fails, error is an error of the
set-up (it says nothing about the client), skip and inconclusive are skipped with their reason, xfail is xfailed.
"""
from __future__ import annotations

import os
import pathlib
import re
import shlex
import warnings

import pytest
import yaml
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from . import api, conversation, files

CATALOGUE = "rules.yaml"
EVENTS_SHOWN, OUTPUT_SHOWN = 30, 15


class ScenarioWarning(UserWarning):
    """The verdict warn."""


class ScenarioFailed(Exception):
    """The verdict fail; carries the result."""

    def __init__(self, result, text):
        super().__init__(result.reason)
        self.result, self.text = result, text


def pytest_addoption(parser):
    group = parser.getgroup("bootjack", "Bootjack scenarios")
    group.addoption("--client", help="the client under test, as for `bootjack run`: linked (default), "
                    "linked:PATH, exec:COMMAND, network:COMMAND, a profile's file or name")
    group.addoption("--seed", help="seed of the simulated world, as for `bootjack run`")


def pytest_collect_file(file_path, parent):
    """A YAML file is a scenario when it lies below a folder `scenarios` (the canary apart: `bootjack` runs it by
    itself), or when it is named on the command line."""
    if file_path.suffix != ".yaml" or file_path.name == CATALOGUE:
        return None
    root = parent.config.rootpath
    below = file_path.relative_to(root).parts[:-1] if file_path.is_relative_to(root) else ()
    named = any(pathlib.Path(str(word).split("::")[0]).resolve() == file_path for word in parent.config.args)
    scenario = "scenarios" in below and below[-1] != "canary" and not has_key(file_path, "sequence")
    return ScenarioFile.from_parent(parent, path=file_path) if named or scenario else None


def has_key(path, *keys) -> bool:
    """Does one of these keys stand at the top of the document?"""
    try:
        return re.search(rf"^(?:{'|'.join(keys)}) *:", path.read_text(encoding="utf-8"), re.M) is not None
    except UnicodeDecodeError:
        return False


def pytest_configure(config):
    """Says once that there is no program, and not at every scenario. Workers of xdist leave it to their controller."""
    scenarios = any("scenarios" in pathlib.Path(word.split("::")[0]).resolve().parts for word in config.args)
    if hasattr(config, "workerinput") or not (scenarios or "BOOTJACK" in os.environ):
        return
    try:
        api.find_bootjack()
    except api.BootjackMissing as missing:
        raise pytest.UsageError(str(missing)) from None


def pytest_report_header(config):
    if not config.getoption("client") and not config.getoption("seed"):
        return None
    return f"bootjack: client {config.getoption('client') or 'linked'}, seed {config.getoption('seed') or 'default'}"


def could_not_run(text):
    """Fails the set-up: the verdict error, a scenario file that cannot be used, no program to run it."""
    pytest.fail(text, pytrace=False)


def skipped(reason):
    """A skip that is reported at the scenario and not at a line of this plugin."""
    return pytest.skip.Exception(reason, _use_item_location=True)


class ScenarioFile(pytest.File):
    """A scenario file: one test, named after its title, or one for each of its cases, named after the case."""

    def collect(self):
        if has_key(self.path, "cases", "parameters"):
            yield from self.cases()
            return
        try:
            document = yaml.load(self.path.read_text(encoding="utf-8"), Loader=files.Tolerant)
        except (yaml.YAMLError, UnicodeDecodeError):
            document = None  # `bootjack` says what is wrong, with line and column
        document = document if isinstance(document, dict) else {}
        title = str(document.get("title") or self.path.stem).replace("::", ":")
        rules = document.get("rules") or []
        yield ScenarioItem.from_parent(self, name=title, rules=[rules] if isinstance(rules, str) else list(rules))


    def cases(self):
        try:
            listed = api.list_scenarios(self.path)
        except (api.BootjackMissing, api.ScenarioError) as problem:
            raise self.CollectError(str(problem)) from None
        for one in listed:
            case = api.split_case(one["scenario"])[1]
            yield ScenarioItem.from_parent(self, name=case, rules=one["rules"], case=case)


class ScenarioItem(pytest.Item):
    """One run of one scenario."""

    canary_seen = False  # the canary is run once a process, before the first scenario

    def __init__(self, *, rules, case="", **more):
        super().__init__(**more)
        self.rules, self.result = rules, None
        self.scenario = f"{self.path}::{case}" if case else self.path
        self.extra_keyword_matches.update(map(str, rules))

    def setup(self):
        unknown = [rule for rule in self.rules if rule not in _catalogue(self.path)]
        if unknown:
            could_not_run(f"{self.path}: rules that {CATALOGUE} does not know: {', '.join(map(str, unknown))}")
        options = ["--no-canary"] if ScenarioItem.canary_seen else []
        try:
            self.result = api.run_scenario(self.scenario, self.config.getoption("client"),
                                           self.config.getoption("seed"), options=options)
        except (api.BootjackMissing, api.ScenarioError) as problem:
            could_not_run(str(problem))
        ScenarioItem.canary_seen = True
        self.user_properties += _properties(self.result)
        if self.result.verdict == "error":
            could_not_run(failure_text(self.result, self.path))

    def runtest(self):
        verdict, reason = self.result.verdict, self.result.reason
        if verdict == "fail":
            raise ScenarioFailed(self.result, failure_text(self.result, self.path))
        if verdict in ("warn", "bricked"):
            warnings.warn(ScenarioWarning(f"{self.result.scenario}: {reason}"), stacklevel=1)
        elif verdict == "xfail":
            pytest.xfail(reason)
        elif verdict == "skip":
            raise skipped(reason)
        elif verdict == "inconclusive":
            raise skipped(f"inconclusive: {reason}")
        elif verdict != "pass":
            pytest.fail(f"{self.path}: unknown verdict {verdict!r}", pytrace=False)

    def repr_failure(self, excinfo, style=None):
        if not isinstance(excinfo.value, ScenarioFailed):
            return super().repr_failure(excinfo, style)
        failed = excinfo.value
        text = ReprTraceback([ReprEntryNative([failed.text + "\n"])], None, style="native")
        line = conversation.failing_line(failed.result)
        return ReprExceptionInfo(text, ReprFileLocation(str(_relative(self.path)), line, failed.result.reason))

    def reportinfo(self):
        return self.path, max(0, (self.result.line if self.result else 0) - 1), self.name


_catalogues: dict = {}


def _catalogue(path):
    """Ids of the rules in the nearest rules.yaml above a scenario."""
    for folder in path.parents:
        if folder in _catalogues:
            return _catalogues[folder]
        if (folder / CATALOGUE).exists():
            loaded = yaml.safe_load((folder / CATALOGUE).read_text(encoding="utf-8")) or {}
            _catalogues[folder] = set(files.rule_entries(loaded))
            return _catalogues[folder]
    return set()


def _properties(result) -> list:
    return [("verdict", result.verdict), ("rules", " ".join(map(str, result.rules))), ("client", result.client),
            ("seed", str(result.seed)), ("virtual_seconds", f"{result.virtual_us / 1e6:.6f}"),
            ("real_seconds", f"{result.real_us / 1e6:.6f}"), ("reason", result.reason)]


def failure_text(result, path) -> str:
    """Where the conversation left the script, and how to see it again."""
    line = conversation.failing_line(result)
    out = [f"{result.verdict}: {result.reason}", ""]
    source = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    script = conversation.excerpt(source, line, result.column if line == result.line else 0)
    if script:
        out += [f"{_relative(path)}:{line}", *script, ""]
    if result.events:
        out += ["conversation (virtual seconds):", *conversation.conversation(result.events, EVENTS_SHOWN), ""]
    if result.output:
        out += ["the client's output:", *(f"    {line['text']}" for line in result.output[-OUTPUT_SHOWN:]), ""]
    if result.verdict == "error" and result.errors.strip():
        out += ["standard error:", result.errors.rstrip(), ""]
    return "\n".join(out + ["reproduce:", "  " + (result.reproduce or shlex.join(result.command))])


def _relative(path):
    path = pathlib.Path(path)
    return path.relative_to(pathlib.Path.cwd()) if path.is_relative_to(pathlib.Path.cwd()) else path
