# SPDX-License-Identifier: Apache-2.0
"""What happened in a run, as objects: events of the log (docs/event-log.md) and the messages in them."""
from __future__ import annotations

import dataclasses
from typing import Any

MESSAGES = ("sent", "received", "plain-sent", "plain-received")


@dataclasses.dataclass(frozen=True)
class Message:
    """A CoAP message, decoded. What it does not have is None or empty; `decoded` is all that the decoder says."""

    decoded: dict[str, Any] = dataclasses.field(repr=False)
    type: str | None
    method: str | None
    code: str
    path: str
    query: dict[str, str]
    token: str
    mid: int | None
    format: int | None
    payload: bytes
    location: str | None
    links: list[Any] = dataclasses.field(repr=False)

    @classmethod
    def of(cls, coap: dict[str, Any]) -> "Message":
        query = [part.partition("=") for part in coap.get("query", ())]
        return cls(
            decoded=coap,
            type=coap.get("type"),
            method=coap.get("method"),
            code=coap.get("code", ""),
            path=coap.get("path", ""),
            query={key: value for key, _, value in query},
            token=coap.get("token", ""),
            mid=coap.get("mid"),
            format=coap.get("format"),
            payload=bytes.fromhex(coap.get("payload", "")),
            location=coap.get("location"),
            links=coap.get("links", []),
        )


@dataclasses.dataclass(frozen=True)
class Event:
    """An event of the log. `actor` is a name: world, client, script, or a server's."""

    seq: int
    time: float  # virtual seconds since the run began
    kind: str
    actor: str
    text: str
    cause: int
    line: int
    number: int
    message: Message | None
    log: dict[str, Any] = dataclasses.field(repr=False)  # as it stands in the log

    @classmethod
    def of(cls, log: dict[str, Any], names: dict[int, str]) -> "Event":
        if log["kind"] == "actor":
            names[log["actor"]] = log.get("text", "")
        return cls(
            seq=log["seq"],
            time=log["t"],
            kind=log["kind"],
            actor=names.get(log["actor"], str(log["actor"])),
            text=log.get("text", ""),
            cause=log.get("cause", 0),
            line=log.get("line", 0),
            number=log.get("number", 0),
            message=Message.of(log["coap"]) if log["kind"] in MESSAGES and isinstance(log.get("coap"), dict) else None,
            log=log,
        )


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a step, or of several: what happened until they were done, and when that was."""

    events: list[Event] = dataclasses.field(repr=False)
    time: float

    @property
    def message(self) -> Message | None:
        """The message of the client that the last step waited for: the request, the answer."""
        ends = [event for event in self.events if event.kind == "step-end" and event.cause]
        return self.by_number(ends[-1].cause) if ends else None

    def by_number(self, seq: int) -> Message | None:
        for event in self.events:
            if event.seq == seq:
                return event.message
        return None

    def of_kind(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def sent(self, actor: str = "client") -> list[Message]:
        """The datagrams that left an actor, decoded, in their order."""
        return [event.message for event in self.events if event.kind == "sent" and event.actor == actor and event.message]
