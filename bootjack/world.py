# SPDX-License-Identifier: Apache-2.0
"""A world with a client in it, whose servers Python scripts step by step.

The world stands still while Python thinks. Every verb of the scenario language (docs/scenario-language.md) is a method: of
a `Server` where a server does it or something comes to it, else of the `World`. Fields are keyword arguments; a `-` in
their names is a `_`, and a `_` behind them is left out (`from_`).
"""
from __future__ import annotations

import os
import shlex
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union

from harness.pytest_bootjack import api, conversation
from harness.pytest_bootjack.api import Result

from . import values
from .control import Channel
from .events import Event, Outcome
from .scenario import Scenario
from .values import Value

Step = Union[Mapping[str, Value], str]

DEFAULT_CLIENT = {"endpoint": "dev-1", "bootstrap": {"uri": "coap://bs.example", "holdoff": "10s"}}
SHOWN = 30


class StepFailed(AssertionError):
    """The run is over, and not well: a step failed, a rule was broken, the client did not recover. `result` says which."""

    def __init__(self, result: Result, text: str) -> None:
        super().__init__(text)
        self.result = result


class RunSkipped(Exception):
    """The client, or the world, cannot do what the script needs; the reason says what."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.reason)
        self.result = result


class Verbs:
    """The verbs that a world and a server share: those that mean the request that was awaited last."""

    def step(self, step: Step | Sequence[Step]) -> Outcome:
        raise NotImplementedError

    def _do(self, verb: str, primary: Value, fields: Mapping[str, Value]) -> Outcome:
        named = {name.rstrip("_").replace("_", "-"): value for name, value in fields.items()}
        return self.step({verb: primary, **named} if primary is not None else {verb: named})

    def respond(self, code: Value = None, **fields: Value) -> Outcome:
        """Answers the request that was awaited last (or the captured one, `to`)."""
        return self._do("respond", code, fields)

    def pack(self, values: Value = None, **fields: Value) -> Outcome:  # pylint: disable=redefined-outer-name
        """Answers a Bootstrap-Pack-Request with these values, or in another way (`code`)."""
        return self._do("pack", values, fields)

    def ignore(self, note: str | None = None) -> Outcome:
        """Leaves the request that was awaited last without an answer."""
        return self.step({"ignore": {} if note is None else {"note": note}})


class Server(Verbs):
    """One of the scripted servers: `world.bs`, `world.mgmt`, `world.server(NAME)`."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name

    def __repr__(self) -> str:
        return f"<Server {self.name}>"

    def step(self, step: Step | Sequence[Step]) -> Outcome:
        """Any steps; `World.step`."""
        return self.world.step(step)

    def _at(self, verb: str, primary: Value, fields: Mapping[str, Value]) -> Outcome:
        """A verb that names its server as `server`."""
        return self._do(verb, primary, {**fields, "server": self.name})

    def _to(self, verb: str, fields: Mapping[str, Value]) -> Outcome:
        """A verb that names its server as `to`."""
        return self.step({verb: {"to": self.name, **{n.rstrip("_").replace("_", "-"): v for n, v in fields.items()}}})

    # --- what comes from the client

    def request(self, method: str | None = None, path: str | None = None, **fields: Value) -> Outcome:
        """Waits for a request; `outcome.message` is it."""
        given = {"method": method, "path": path}
        return self._to("request", {**{name: value for name, value in given.items() if value is not None}, **fields})

    def departure(self, **fields: Value) -> Outcome:
        """Waits for a request that leaves the client and does not reach this server."""
        return self._to("departure", fields)

    def silence(self, for_: Value, **fields: Value) -> Outcome:
        """For so long the client sends this server nothing new."""
        return self._at("silence", for_, fields)

    def retransmission(self, number: int | None = None, **fields: Value) -> Outcome:
        """Waits for a repetition of the client's last message."""
        return self._to("retransmission", {**({} if number is None else {"number": number}), **fields})

    def response(self, expect: Value = None, **fields: Value) -> Outcome:
        """Waits for the answer to a step with `wait=False`."""
        return self._at("response", expect, fields)

    def notification(self, of: str | None = None, **fields: Value) -> Outcome:
        """Waits for a notification of an observation."""
        return self._at("notification", of, fields)

    def ack(self, **fields: Value) -> Outcome:
        """Waits for an empty ACK to this server's last message."""
        return self._at("ack", None, fields)

    def reset(self, **fields: Value) -> Outcome:
        """Waits for RST to this server's last message."""
        return self._at("reset", None, fields)

    def handshake(self, **fields: Value) -> Outcome:
        """Waits for the end of a handshake."""
        return self._to("handshake", fields)

    def client_hello(self, **fields: Value) -> Outcome:
        """Waits for the beginning of a handshake, and its end where `ends` is given."""
        return self._to("client-hello", fields)

    def connection(self, **fields: Value) -> Outcome:
        """Waits for a TCP connection."""
        return self._to("connection", fields)

    # --- the Bootstrap interface

    def write(self, path: str, **fields: Value) -> Outcome:
        """Bootstrap-Write, or Write."""
        return self._at("write", path, fields)

    def delete(self, path: str, **fields: Value) -> Outcome:
        """Bootstrap-Delete, or Delete."""
        return self._at("delete", path, fields)

    def discover(self, path: str, **fields: Value) -> Outcome:
        """Bootstrap-Discover, or Discover."""
        return self._at("discover", path, fields)

    def read(self, path: str, **fields: Value) -> Outcome:
        """Bootstrap-Read, or Read."""
        return self._at("read", path, fields)

    def finish(self, **fields: Value) -> Outcome:
        """Bootstrap-Finish."""
        return self._at("finish", None, fields)

    # --- management and observations

    def execute(self, path: str, **fields: Value) -> Outcome:
        """Execute."""
        return self._at("execute", path, fields)

    def create(self, path: str, **fields: Value) -> Outcome:
        """Create."""
        return self._at("create", path, fields)

    def write_attributes(self, path: str, **fields: Value) -> Outcome:
        """Write-Attributes."""
        return self._at("write-attributes", path, fields)

    def observe(self, path: str, **fields: Value) -> Outcome:
        """Observe; `name` is what `notification` and `cancel` call it."""
        return self._at("observe", path, fields)

    def cancel(self, of: str | None = None, **fields: Value) -> Outcome:
        """Ends an observation."""
        return self._at("cancel", of, fields)

    def read_composite(self, paths: Sequence[str], **fields: Value) -> Outcome:
        """Read-Composite."""
        return self._at("read-composite", list(paths), fields)

    def write_composite(self, **fields: Value) -> Outcome:
        """Write-Composite."""
        return self._at("write-composite", None, fields)

    def observe_composite(self, paths: Sequence[str], **fields: Value) -> Outcome:
        """Observe-Composite."""
        return self._at("observe-composite", list(paths), fields)

    # --- below the operations

    def message(self, **fields: Value) -> Outcome:
        """A CoAP message made by hand, any field of which may be wrong."""
        return self._at("message", None, fields)

    def raw(self, hex: bytes | str, **fields: Value) -> Outcome:  # pylint: disable=redefined-builtin
        """Bytes as they are."""
        return self._at("raw", hex.hex() if isinstance(hex, bytes) else hex, fields)

    def again(self, **fields: Value) -> Outcome:
        """Sends its last confirmable request again: the client must repeat its answer."""
        return self._at("again", None, fields)

    def alert(self, which: str | int, **fields: Value) -> Outcome:
        """An alert of TLS to the client's latest handshake."""
        return self._at("alert", which, fields)

    def hang_up(self, how: str | None = None, **fields: Value) -> Outcome:
        """Ends its latest connection."""
        return self._at("hang-up", how, fields)

    # --- its life

    def port(self, state: str) -> Outcome:
        """`open`, `closed` (ICMP) or `silent`."""
        return self._at("port", state, {})

    def restart(self) -> Outcome:
        """It forgets everything."""
        return self._do("restart", self.name, {})


class World(Verbs):
    """A run in virtual time: a client, and servers that wait to be told what to do.

    As a context manager it is judged where the block ends: `finish()`, unless that was called, or the block raised.
    """

    def __init__(
        self,
        scenario: Scenario | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        *,
        client: str | None = None,
        seed: int = 1,
        limit: int | None = None,
    ) -> None:
        """Starts it.

        scenario: what a scenario holds beside its steps (and steps, which are played first): a document such as
            `{"client": {...}, "servers": {...}}`, a `Scenario`, or the path of a file (or FILE::CASE). Without it the
            client has the bootstrap account coap://bs.example and a hold-off of 10 s.
        client: which client, as for `bootjack run --client`; ours, linked, if not given.
        seed: of the simulated world.
        limit: seconds of real time that the client may compute in all; 60 if not given.
        """
        self.client, self.seed = client or "linked", seed
        self._names = {0: "world", 1: "client", 2: "script"}
        self._events: list[Event] = []
        self._now, self._wake, self._result = 0.0, None, None  # type: float, float | None, Result | None
        self._told = False  # its result was raised, or taken
        document = _document(scenario)
        self._channel = Channel()
        try:
            self._take(self._channel.ask("start", scenario=values.document_text(document), name=_name(scenario),
                                         client=client, seed=seed, limit=limit))
        except BaseException:
            self._channel.close()
            raise
        if self.over:
            self.close()
            self._raise()

    # --- how things stand

    @property
    def now(self) -> float:
        """Virtual seconds since the run began."""
        return self._now

    @property
    def wake(self) -> float | None:
        """When the client will act by itself at the latest; None: it waits for ever, or that is not known."""
        return self._wake

    @property
    def over(self) -> bool:
        return self._result is not None

    @property
    def result(self) -> Result | None:
        """When the run is over: its verdict, and the rules that were broken."""
        return self._result

    @property
    def told(self) -> bool:
        """Was the result given to somebody, by `finish()` or as an exception?"""
        return self._told

    @property
    def events(self) -> list[Event]:
        """All that has happened."""
        return list(self._events)

    @property
    def state(self) -> dict[str, str]:
        """The client's state machines and where they are; empty for a client that does not tell."""
        machines: dict[str, str] = self._channel.ask("state")["state"]["machines"]
        return machines

    @property
    def running(self) -> bool:
        """Does the client run?"""
        return bool(self._channel.ask("state")["state"]["running"])

    @property
    def scenario(self) -> Scenario:
        """What was scripted so far, as a scenario that does the same again."""
        return Scenario.parse(self._channel.ask("scenario")["scenario"])

    def reproduce(self, file: str | os.PathLike[str]) -> str:
        """The command that does the same again, when `scenario` was saved as that file."""
        return shlex.join([*api.run_command(file, client=None if self.client == "linked" else self.client, seed=self.seed), "-v"])

    def capture(self, path: str | os.PathLike[str]) -> None:
        """Writes what was said so far as a pcapng file."""
        self._channel.ask("capture", file=os.path.abspath(path))

    # --- servers

    def server(self, name: str) -> Server:
        return Server(self, name)

    @property
    def bs(self) -> Server:
        """The Bootstrap-Server of a scenario that names no servers."""
        return self.server("bs")

    @property
    def mgmt(self) -> Server:
        """The LwM2M Server of a scenario that names no servers."""
        return self.server("mgmt")

    # --- steps

    def step(self, step: Step | Sequence[Step]) -> Outcome:
        """Plays a step, or several: dicts as in YAML, or a string of YAML. StepFailed ends the run; ControlError (it
        has a mistake) does not."""
        text = step if isinstance(step, str) else values.flow(step)
        seen = len(self._events)
        self._take(self._channel.ask("step", step=text, line=_caller()))
        if self.over:
            self._raise()
        return Outcome(self._events[seen:], self._now)

    def advance(self, for_: Value) -> Outcome:
        """Time passes. What the client sends waits for its step."""
        return self._do("advance", for_, {})

    def silence(self, for_: Value) -> Outcome:
        """For so long the client sends nothing new."""
        return self._do("silence", for_, {})

    def either(self, **branches: Value) -> Outcome:
        """Alternatives by name, each a list of steps."""
        return self._do("either", branches, {})

    def when(self, fact: str, steps: Value, otherwise: Value = None) -> Outcome:
        """Steps for clients of whose profile a fact holds."""
        return self._do("when", fact, {"steps": steps, **({} if otherwise is None else {"otherwise": otherwise})})

    def repeat(self, times: int | None, steps: Value, **fields: Value) -> Outcome:
        """Steps several times."""
        return self._do("repeat", times, {"steps": steps, **fields})

    def fault(self, kind: str, **fields: Value) -> Outcome:
        """The network drops, delays, duplicates, truncates or corrupts what is sent next."""
        return self._do("fault", kind, fields)

    def network(self, **fields: Value) -> Outcome:
        """Conditions of the links."""
        return self._do("network", None, fields)

    def dns(self, name: str, **fields: Value) -> Outcome:
        """What a name gives from now on."""
        return self._do("dns", name, fields)

    def stop(self, **fields: Value) -> Outcome:
        """The client is asked to stop."""
        return self._do("stop", None, fields)

    def input(self, line: str | None = None, **fields: Value) -> Outcome:
        """A line is typed at the client's standard input, or (`command=`) a command of its profile."""
        return self._do("input", line, fields)

    def exit(self, **fields: Value) -> Outcome:
        """Waits for the client's end."""
        return self._do("exit", None, fields)

    def start(self) -> Outcome:
        """The client starts again."""
        return self.step({"start": {}})

    def power_cut(self, keeps: str | None = None, **fields: Value) -> Outcome:
        """The client's power goes."""
        return self._do("power-cut", keeps, fields)

    def disk(self, **fields: Value) -> Outcome:
        """The client's disk fails, or is full."""
        return self._do("disk", None, fields)

    def file(self, name: str, **fields: Value) -> Outcome:
        """Looks at a file of the client's disk."""
        return self._do("file", name, fields)

    def note(self, text: str) -> Outcome:
        """For the reader of the log."""
        return self._do("note", text, {})

    def inconclusive(self, text: str) -> Outcome:
        """Ends the script: the specification has a gap here."""
        return self._do("inconclusive", text, {})

    # --- the end

    def heal(self) -> str:
        """Ends the script: everything behaves, and the client must recover. What became of it: `registered`, `idle`,
        `bricked` or `failed`; empty where nothing could be healed."""
        self._take(self._channel.ask("heal"))
        assert self._result
        return self._result.recovery

    def finish(self, heal: bool = True) -> Result:
        """Ends the script, unless `heal()` has, and judges the run. StepFailed, or RunSkipped, when it went not well."""
        if not self.over:
            self._take(self._channel.ask("finish", heal=heal))
        self._told = True
        assert self._result
        if self._result.failed or self._result.verdict == "skip":
            self._raise()
        return self._result

    def close(self) -> None:
        """Ends the run, if it is not over, and the program that it runs in. May be called again."""
        self._channel.close()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        try:
            if kind is None and not self._told:
                self.finish()
        finally:
            self.close()

    # --- inside

    def _take(self, reply: dict[str, Any]) -> None:
        self._events += [Event.of(event, self._names) for event in reply["events"]]
        self._now, self._wake = reply["now"], reply["wake"]
        if reply["over"]:
            self._result = Result.from_json(reply["result"])
            self._result.events = [event.log for event in self._events]

    def _raise(self) -> None:
        self._told = True
        assert self._result
        if self._result.verdict == "skip":
            raise RunSkipped(self._result)
        lines = conversation.conversation(self._result.events, SHOWN)
        text = f"{self._result.verdict}: {self._result.reason}\n\nconversation (virtual seconds):\n"
        raise StepFailed(self._result, text + "\n".join(lines))


def _document(scenario: Any) -> dict[str, Any]:
    if scenario is None:
        return {"client": DEFAULT_CLIENT}
    if isinstance(scenario, (str, os.PathLike)):
        scenario = Scenario.load(scenario)
    document = dict(scenario.document if isinstance(scenario, Scenario) else scenario)
    if not document.get("steps"):
        document.pop("steps", None)  # an empty list is a mistake, none is not
    return document


def _name(scenario: Any) -> str | None:
    """What later steps include is found beside this file. A case is picked already."""
    if isinstance(scenario, (str, os.PathLike)):
        return os.path.abspath(str(scenario).split("::")[0])
    return None


def _caller() -> int:
    """The line of the script outside this package that asks."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").split(".")[0] == __package__:
        frame = frame.f_back
    return frame.f_lineno if frame else 0
