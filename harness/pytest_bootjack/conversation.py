# SPDX-License-Identifier: Apache-2.0
"""The event log for people: one line an event, and the neighbourhood of a line in a scenario file."""
from __future__ import annotations

CLIENT, SCRIPT = 1, 2
SECOND = 1_000_000


def actor_names(events: list) -> dict:
    """Numbers of actors to names; servers are named by their `actor` events."""
    names = {0: "world", CLIENT: "client", SCRIPT: "script"}
    names.update({event["actor"]: event.get("text", "?") for event in events if event["kind"] == "actor"})
    return names


def micros(event: dict) -> int:
    return round(float(event.get("t", 0)) * SECOND)


def duration(us: int) -> str:
    """As a person says it: 250us, 7.5ms, 12.5s, 3min 5s, 6h, 1d 2h."""
    if us < 1000:
        return f"{us}us"
    if us < SECOND:
        return f"{us / 1000:.4g}ms"
    if us < 60 * SECOND:
        return f"{us / SECOND:.6g}s"
    seconds, parts = us / SECOND, []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            parts.append(f"{int(seconds // size)}{unit}")
            seconds %= size
    return " ".join(parts + ([f"{seconds:.4g}s"] if seconds >= 0.001 and "d" not in parts[0] else []))


def coap_line(coap) -> str:
    """`CON POST /bs?ep=dev-1`, `ACK 2.04 /rd/1 11542 {...}`: what the decoder says of a datagram, short."""
    if not isinstance(coap, dict):
        return ""
    if coap.get("fault") and "code" not in coap:
        return f"malformed: {coap['fault']}"
    words = [str(coap.get("type", "")), str(coap.get("method") or coap.get("code", ""))]
    target = coap.get("path") or ""
    query = coap.get("query")
    if query:
        target += "?" + (query if isinstance(query, str) else "&".join(map(str, query)))
    words.append(target)
    words.append(coap.get("location", ""))
    words.append(content(coap))
    words.append(f"malformed: {coap['fault']}" if coap.get("fault") else "")
    return " ".join(word for word in words if word)


def content(coap) -> str:
    """A payload, decoded where the decoder could, else its Content-Format and size."""
    path = [int(part) for part in coap.get("path", "").split("/") if part.isdigit()]
    if "values" in coap:
        return values_line(coap["values"], path)
    if "links" in coap:
        return ",".join(link_line(link) for link in coap["links"])
    size = len(coap.get("payload", "")) // 2
    return coap.get("text") or (f"[{coap.get('format', 'no format')}: {size} bytes]" if size else "")


def link_line(link) -> str:
    attributes = "".join(f";{key}" + ("" if value is None else f"={value}") for key, value in link["attributes"].items())
    return ("" if link["target"] is None else f"<{link['target']}>") + attributes


def typed_text(entry) -> str:
    """A value of a format that names types and whole paths; credentials of /0 by their size alone."""
    parts, value = entry["path"].split("/")[1:], entry.get("value", entry.get("hex", ""))
    if len(parts) > 2 and parts[0] == "0" and parts[2] in ("3", "4", "5") and value:
        return "<credentials>"
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def values_line(entries, path) -> str:
    """`{0: coap://mgmt.example, 1: 0, 10: 101}`; `path` is where the entries hang."""
    if entries and all("path" in entry for entry in entries):
        return "{" + ", ".join(f"{entry['path']}: {typed_text(entry)}" for entry in entries) + "}"
    return "{" + ", ".join(f"{e.get('id', '?')}: {value_text(e, path)}" for e in entries) + "}"


# Resources of type String and Opaque: LwM2M Core 1.1 E.1, E.2, E.4. Elsewhere the form of the bytes must do.
STRINGS = {(0, 0), (1, 7), (1, 22), (3, 0), (3, 1), (3, 2), (3, 3), (3, 14), (3, 15), (3, 16)}
OPAQUES = {(0, 3), (0, 4), (0, 5)}


def value_text(entry, path) -> str:
    if "entries" in entry:
        below = path if entry["kind"] != "instance" or len(path) > 1 else [*path[:1], entry["id"]]
        return values_line(entry["entries"], below)
    raw, resource = entry.get("hex", ""), (path[0], entry.get("id")) if path else None
    if resource in OPAQUES and raw:
        return f"<{len(raw) // 2} bytes>"
    if "text" in entry and (resource in STRINGS or "integer" not in entry or len(raw) > 16):
        return entry["text"] or '""'
    return str(entry["integer"]) if "integer" in entry else f"0x{raw}"


def datagram_line(event: dict) -> str:
    raw = event.get("raw", "")
    return coap_line(event.get("coap")) or f"{len(raw) // 2} bytes {raw[:48]}{'...' if len(raw) > 48 else ''}"


def receiver(event: dict, by_cause: dict, addresses: dict) -> int | None:
    """Who is meant by a datagram: who received it, else whose address it bears."""
    if event["kind"] == "received":
        return event["actor"]
    for other in by_cause.get(event["seq"], ()):
        if other["kind"] in ("received", "stream-received"):
            return other["actor"]
    if event["actor"] != CLIENT:
        return CLIENT
    return addresses.get(address_of(event.get("to", "")))


def address_of(endpoint: str) -> str:
    """The address without the port: `192.0.2.10:5683`, `[2001:db8::a]:5683`."""
    if endpoint.startswith("["):
        return endpoint[1:].split("]")[0]
    return endpoint.rsplit(":", 1)[0] if endpoint.count(":") == 1 else endpoint


def messages(events: list) -> list:
    """The datagrams of a run, each once: as they were sent, and on a real network, where a client's sending is not
    seen, as they reached a server. Each as (event, who sent it)."""
    sent = {event["seq"] for event in events if event["kind"] == "sent"}
    rows = []
    for event in events:
        if event["kind"] == "sent":
            rows.append((event, event["actor"]))
        elif event["kind"] == "received" and event.get("cause") not in sent:
            rows.append((event, CLIENT if event["actor"] != CLIENT else 0))
    return rows


def is_first_seen(event: dict) -> bool:
    """Bytes of a connection that reached a server on a real network, where nobody sees them leave."""
    return event["kind"] == "stream-received" and event["actor"] != CLIENT and not event.get("cause")


def by_cause(events: list) -> dict:
    index = {}
    for event in events:
        if event.get("cause"):
            index.setdefault(event["cause"], []).append(event)
    return index


def server_addresses(events: list) -> dict:
    return {address_of(e["from"]): e["actor"] for e in events if e["kind"] == "actor" and e.get("from")}


# What an event says besides the time; `sent` is apart. Kinds that are left out say nothing to a reader.
PLAIN = {
    "client-start": "client starts: {text}",
    "client-exit": "client exits: status {number}, signal {other}",
    "client-signal": "client gets signal {number}",
    "client-state": "client: {text}",
    "client-output": "client writes: {text}",
    "client-input": "is typed: {text}",
    "lost": "lost: {text}",
    "icmp": "port unreachable",
    "dns-query": "client asks for {text}",
    "dns-answer": "DNS: {text}",
    "step-begin": "line {line}: {text}",
    "step-failed": "line {line}: FAILED: {text}",
    "power-cut": "the client's power goes: {text}",
    "disk": "the client's disk: {text}",
    "fault": "fault: {text}",
    "note": "note: {text}",
    "verdict": "verdict: {text}",
    "passed-over": "passed over: {text}",
    "branch": "branch: {text}",
    "rule": "rule: {text}",
    "stream-open": "connection {number} opens",
    "stream-sent": "connection {number}: {raw}",
    "stream-received": "connection {number}: {raw}",
    "stream-closed": "connection {number} closes",
}


def lines(events: list) -> list:
    """One (event, text) for each event that a reader wants to see."""
    names, causes, addresses = actor_names(events), by_cause(events), server_addresses(events)
    senders = {event["seq"]: sender for event, sender in messages(events)}
    rows = []
    for event in events:
        if event["seq"] in senders:
            to = receiver(event, causes, addresses)
            peer = names.get(to, event.get("to", "?"))
            text = f"{names.get(senders[event['seq']], '?')} -> {peer}: {datagram_line(event)}"
        elif event["kind"] in PLAIN and (event["kind"] != "stream-received" or is_first_seen(event)):
            fields = {"text": "", "line": 0, "number": 0, "other": 0, "raw": "", **event}
            text = PLAIN[event["kind"]].format(**fields)
        else:
            continue
        rows.append((event, text))
    return rows


def conversation(events: list, last: int | None = None) -> list:
    """The conversation as lines of text with virtual times; only the `last` ones if asked for."""
    rows = lines(events)
    cut = max(0, len(rows) - last) if last else 0
    text = [f"    ({cut} earlier events)"] if cut else []
    return text + [f"{micros(event) / SECOND:14.6f}  {line}" for event, line in rows[cut:]]


def failing_line(result) -> int:
    """Where the conversation left the script: the verdict's line, else that of the last step that failed or began."""
    if result.line:
        return result.line
    steps = [event.get("line", 0) for event in result.of_kind("step-failed")]
    steps = steps or [event.get("line", 0) for event in result.of_kind("step-begin")]
    return steps[-1] if steps else 0


def excerpt(text: str, line: int, column: int = 0, around: int = 4) -> list:
    """The lines around `line`, numbered, the line itself marked."""
    rows = text.splitlines()
    if not 1 <= line <= len(rows):
        return []
    out = []
    for number in range(max(1, line - around), min(len(rows), line + around) + 1):
        out.append(f"{'>' if number == line else ' '} {number:4} | {rows[number - 1]}")
        if number == line and column > 1:
            out.append("       | " + " " * (column - 1) + "^")
    return out
