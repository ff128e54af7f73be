# SPDX-License-Identifier: Apache-2.0
"""The other end of `bootjack control` (docs/control-channel.md): a process, and a line of JSON each way."""
from __future__ import annotations

import json
import subprocess
from typing import Any

from harness.pytest_bootjack import api

VERSION = 1


class ControlError(RuntimeError):
    """The channel said no, and what it expected. `mistakes` are those of a scenario or a step: text, line, column and,
    where a name was probably misspelt, a suggestion."""

    def __init__(self, text: str, mistakes: list[dict[str, Any]] | None = None) -> None:
        super().__init__("\n".join([text, *map(_mistake_text, mistakes or [])]))
        self.mistakes = mistakes or []


def _mistake_text(mistake: dict[str, Any]) -> str:
    meant = f" (did you mean '{mistake['suggestion']}'?)" if "suggestion" in mistake else ""
    return f"{mistake['line']}:{mistake['column']}: {mistake['text']}{meant}"


class Channel:
    """One `bootjack control`. Ends with `close()`, or when Python does."""

    def __init__(self) -> None:
        command = [str(api.find_bootjack()), "control"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        greeting = self._read()
        if greeting.get("version") != VERSION:
            self.close()
            raise ControlError(f"{command[0]} speaks version {greeting.get('version')} of the control channel, this is {VERSION}")

    def ask(self, do: str, **members: Any) -> dict[str, Any]:
        """One request and its reply; ControlError when that says no."""
        line = json.dumps({"do": do, **{name.replace("_", "-"): value for name, value in members.items()}}, ensure_ascii=False)
        assert self._process.stdin
        if self._process.stdin.closed:
            raise ControlError("this world is closed")
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # reading says what became of it
        reply = self._read()
        if not reply["ok"]:
            raise ControlError(reply["error"], reply.get("mistakes"))
        return reply

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise ControlError(f"bootjack control ended with status {status}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """Ends the program, and with it its run."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream and not stream.closed:
                try:
                    stream.close()
                except OSError:
                    pass
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
