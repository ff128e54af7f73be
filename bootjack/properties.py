# SPDX-License-Identifier: Apache-2.0
"""What must hold of every scenario, for tests that make them (bootjack/strategies.py)."""
from __future__ import annotations

import os
import pathlib
import re
import shlex
from typing import Any

from harness.pytest_bootjack import api, conversation
from harness.pytest_bootjack.api import Result, ScenarioError

from . import values
from .control import Channel, ControlError
from .scenario import Scenario

SHOWN = 20
GOOD = ("pass", "warn", "inconclusive", "bricked", "skip")


class PropertyFailed(AssertionError):
    """A scenario that fails. Hypothesis makes it small, and the last one that it shows is saved as `file`."""

    def __init__(self, result: Result, file: pathlib.Path, text: str) -> None:
        super().__init__(text)
        self.result, self.file = result, file


class Runner:
    """Runs whole scenarios, one after the other, in one `bootjack control`."""

    def __init__(self) -> None:
        self._channel: Channel | None = None

    def run(self, scenario: Scenario, client: str | None = None, seed: int = 1) -> Result:
        """Its result, with events. ScenarioError: it has mistakes."""
        self._channel = self._channel or Channel()
        try:
            begun = self._channel.ask("start", scenario=values.document_text(scenario.document), client=client, seed=seed)
            ended = begun if begun["over"] else self._channel.ask("finish")
        except ControlError as problem:
            self.close()
            raise ScenarioError(str(problem)) from None
        result = Result.from_json(ended["result"])
        result.events = begun["events"] + (ended["events"] if ended is not begun else [])
        return result

    def close(self) -> None:
        if self._channel:
            self._channel.close()
            self._channel = None


_runner = Runner()


def holds(scenario: Scenario, client: str | None = None, seed: int = 1, folder: str | os.PathLike[str] | None = None,
          name: str | None = None) -> Result:
    """Runs it and asks: did its steps happen, was no rule broken, did the client recover?

    PropertyFailed: no. The scenario is then in `folder` ($BOOTJACK_FAILURES, or bootjack-failures), under `name`, or that of
    the test: each failure of one test takes the place of the one before, so that the smallest is left.
    """
    result = run(scenario, client, seed)
    if result.verdict in GOOD:
        return result
    place = pathlib.Path(folder or os.environ.get("BOOTJACK_FAILURES") or "bootjack-failures")
    raise failure(scenario, result, client, seed, place, name or _test_name())


def run(scenario: Scenario, client: str | None = None, seed: int = 1) -> Result:
    """Its result, whatever that is."""
    return _runner.run(scenario, client, seed)


def failure(scenario: Scenario, result: Result, client: str | None, seed: int, folder: pathlib.Path, name: str) -> PropertyFailed:
    """The scenario saved, and what is said of it."""
    file = _annotated(scenario, result).save(folder / f"{name}.yaml")
    return PropertyFailed(result, file, _text(scenario, result, file, client, seed))


def _annotated(scenario: Scenario, result: Result) -> Scenario:
    """With a description that says what went wrong."""
    document: dict[str, Any] = {"title": scenario.title or "A scenario that nobody wrote",
                                "description": f"Found by Hypothesis: {result.reason}"}
    return Scenario({**document, **{key: value for key, value in scenario.document.items() if key not in document}})


def _test_name() -> str:
    """`test_file.test_name`, from what pytest says of the present test."""
    where = os.environ.get("PYTEST_CURRENT_TEST", "scenario").split(" ")[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", pathlib.PurePath(where).name.replace(".py::", ".").replace("::", ".")).strip("-")


def _text(scenario: Scenario, result: Result, file: pathlib.Path, client: str | None, seed: int) -> str:
    again = shlex.join([*api.run_command(file.resolve(), client=client, seed=seed), "-v"])
    lines = conversation.conversation(result.events, SHOWN)
    return "\n".join([f"{result.verdict}: {result.reason}", "", f"scenario: {file}", f"reproduce: {again}", "",
                      scenario.text().rstrip(), "", "conversation (virtual seconds):", *lines])
