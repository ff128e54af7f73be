# SPDX-License-Identifier: Apache-2.0
"""Scenarios as objects: loaded, changed, printed, saved, run."""
from __future__ import annotations

import copy
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

from harness.pytest_bootjack import api
from harness.pytest_bootjack.api import Result, ScenarioError

from . import values


class Scenario:
    """One scenario, without parameters and includes: what they stand for is put in when it is loaded.

    `document` is the whole of it as in YAML (see `bootjack.values` for values that need a tag), and `steps` its list of
    steps; both are there to be changed. Nothing is checked until `text()`, `check()`, `save()` or `run()`.
    """

    def __init__(self, document: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """A scenario from its fields: `Scenario(title=..., client={...}, steps=[...])`, or a document of them."""
        self.document: dict[str, Any] = {**copy.deepcopy(dict(document or {})), **fields}
        self.document.setdefault("steps", [])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Scenario":
        """From a file, or from a case of a file that has cases (FILE::CASE). ScenarioError: it has mistakes."""
        return cls.parse(_program(str(path)))

    @classmethod
    def load_all(cls, path: str | os.PathLike[str]) -> dict[str, "Scenario"]:
        """All scenarios of a file or below a folder, by their names (FILE or FILE::CASE)."""
        return {one["scenario"]: cls.load(one["scenario"]) for one in api.list_scenarios(path)}

    @classmethod
    def parse(cls, text: str) -> "Scenario":
        """From YAML that needs nothing else: no includes and no cases."""
        return cls(values.parse(text))

    @property
    def title(self) -> str:
        return str(self.document.get("title", ""))

    @title.setter
    def title(self, title: str) -> None:
        self.document["title"] = title

    @property
    def steps(self) -> list[Any]:
        """The steps, each a dict as in YAML: `{"write": "/1/0", "tlv": {0: 101}, "expect": 2.04}`."""
        steps: list[Any] = self.document["steps"]
        return steps

    @steps.setter
    def steps(self, steps: list[Any]) -> None:
        self.document["steps"] = steps

    def text(self) -> str:
        """The scenario in the language's own style. ScenarioError: it has mistakes."""
        with tempfile.TemporaryDirectory() as folder:
            return _program(self._write(pathlib.Path(folder) / "scenario.yaml"))

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Writes `text()` to a file; its folder is made if need be."""
        text, file = self.text(), pathlib.Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def check(self) -> None:
        """ScenarioError with every mistake, or nothing."""
        self.text()

    def run(self, client: str | None = None, seed: int | None = None, **options: Any) -> Result:
        """Runs it: `run_scenario()` with a file that is there for the moment. Its path is the result's `scenario`."""
        with tempfile.TemporaryDirectory() as folder:
            file = self._write(pathlib.Path(folder) / "scenario.yaml")
            return api.run_scenario(file, client=client, seed=seed, **options)

    def _write(self, file: pathlib.Path) -> str:
        file.write_text(values.document_text(self.document), encoding="utf-8")
        return str(file)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Scenario {self.title!r}, {len(self.steps)} steps>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.document == other.document

    __hash__ = None  # type: ignore[assignment]


def _program(name: str) -> str:
    """`bootjack program NAME --print`."""
    command = [str(api.find_bootjack()), "program", name, "--print"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    if done.returncode != api.ALL_PASSED:
        raise ScenarioError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode("utf-8")
