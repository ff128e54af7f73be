# SPDX-License-Identifier: Apache-2.0
"""A message-sequence chart of one run, as inline SVG: life lines for the client, the servers and DNS, an arrow for
every datagram, and between them what else happened. Colours come from the page's style sheet."""
from __future__ import annotations

import dataclasses

from markupsafe import escape

from harness.pytest_bootjack import conversation as talk

TIME_WIDTH = 118
FIRST_LINE = 190
SPACING = 315
CHARACTER = 6.7  # width of one in the chart's monospace font at 11 px
KEPT_FIRST, KEPT_LAST, KEPT_AROUND = 110, 60, 25  # rows of a long run that are drawn
GAP = talk.SECOND  # a longer silence is drawn as a break


@dataclasses.dataclass
class Row:
    kind: str  # arrow, lost, icmp, text, step, failed, gap, verdict, cut
    text: str = ""
    time: int | None = None
    source: int = 0
    target: int = 0
    style: str = ""
    line: int = 0
    marked: bool = False  # the first difference of a replay

    @property
    def height(self) -> int:
        return {"arrow": 34, "lost": 34, "icmp": 30, "gap": 26, "verdict": 36, "cut": 30}.get(self.kind, 20)


def style_of(coap) -> str:
    """Which colour a datagram has: by request, success, client error, server error, empty, malformed."""
    if not isinstance(coap, dict) or coap.get("fault"):
        return "broken"
    code = str(coap.get("code", ""))
    if coap.get("type") == "RST":
        return "reset"
    if code in ("", "0.00"):
        return "empty"
    return {"0": "request", "2": "success", "4": "refusal", "5": "refusal"}.get(code[0], "broken")


# Events that are a line of text on the chart, and how they begin.
TEXTS = {"client-start": "starts", "client-exit": "ends", "client-signal": "signal", "client-input": "input", "client-state": "state",
         "power-cut": "power", "disk": "disk", "fault": "fault", "note": "note", "branch": "seen", "rule": "rule", "passed-over": "passed over"}


class Builder:
    """Rows from events. Actors that never say anything get no life line."""

    def __init__(self, events):
        self.events, self.rows = events, []
        self.causes, self.addresses = talk.by_cause(events), talk.server_addresses(events)
        self.names = {**talk.actor_names(events), 0: "DNS"}
        self.senders = {event["seq"]: sender for event, sender in talk.messages(events)}
        for event in events:
            add = getattr(self, "add_" + event["kind"].replace("-", "_"), None)
            if add:
                add(event)
            elif event["kind"] in TEXTS:
                self.add_text(event)

    def add_sent(self, event):
        target = talk.receiver(event, self.causes, self.addresses)
        answers = self.causes.get(event["seq"], ())
        lost = next((other for other in answers if other["kind"] == "lost"), None)
        received = any(other["kind"] == "received" for other in answers)
        text = talk.datagram_line(event)
        if lost and not received:
            text += f" ({lost.get('text', 'lost')})"
        target = target if target is not None else 0
        kind = "lost" if lost and not received else "arrow"
        self.rows.append(Row(kind, text, talk.micros(event), self.senders[event["seq"]], target,
                             style_of(event.get("coap")), event.get("line", 0)))

    def add_received(self, event):
        if event["seq"] in self.senders:
            self.add_sent(event)

    def add_icmp(self, event):
        sender = next((e for e in self.events if e["seq"] == event.get("cause")), None)
        source = talk.receiver(sender, self.causes, self.addresses) if sender else None
        self.rows.append(Row("icmp", "port unreachable", talk.micros(event), source or 0, event["actor"], "reset"))

    def add_stream_sent(self, event):
        target = talk.CLIENT if event["actor"] != talk.CLIENT else talk.receiver(event, self.causes, self.addresses)
        self.rows.append(Row("arrow", "TCP " + talk.datagram_line(event), talk.micros(event), event["actor"],
                             target or 0, style_of(event.get("coap"))))

    def add_stream_received(self, event):
        """On a real network nobody saw it leave."""
        if talk.is_first_seen(event):
            self.rows.append(Row("arrow", "TCP " + talk.datagram_line(event), talk.micros(event), talk.CLIENT, event["actor"],
                                 style_of(event.get("coap"))))

    def add_dns_query(self, event):
        self.rows.append(Row("arrow", event.get("text", "") + " ?", talk.micros(event), talk.CLIENT, 0, "dns"))

    def add_dns_answer(self, event):
        self.rows.append(Row("arrow", event.get("text", ""), talk.micros(event), 0, talk.CLIENT, "dns"))

    def add_step_begin(self, event):
        self.rows.append(Row("step", event.get("text", ""), line=event.get("line", 0)))

    def add_step_failed(self, event):
        self.rows.append(Row("failed", event.get("text", ""), talk.micros(event), line=event.get("line", 0)))

    def add_client_output(self, event):
        """One row for all that is written in one go: the last line that says something, and how many more there are."""
        row = self.rows[-1] if self.rows else None
        text = event.get("text", "").strip()
        if row is None or row.kind != "text" or row.style != "output" or row.time != talk.micros(event):
            row = Row("text", "", talk.micros(event), style="output")
            self.rows.append(row)
            self.written = []
        self.written.append(text)
        said = [line for line in self.written if line] or [""]
        row.text = f"writes: {said[-1]}" + (f" (and {len(self.written) - 1} more lines before)" if self.written[1:] else "")

    def add_text(self, event):
        text = talk.PLAIN[event["kind"]].format(**{"text": "", "line": 0, "number": 0, "other": 0, **event})
        self.rows.append(Row("text", text, talk.micros(event), style=event["kind"]))

    def mark(self, time, by_client):
        """Marks the datagram that left at this time: where a replay first differs."""
        for row in self.rows:
            if row.kind in ("arrow", "lost", "icmp") and row.time == time and (row.source == talk.CLIENT) == by_client:
                row.marked = True
                return

    def kept(self):
        """Long runs are cut in the middle, but not around what is marked."""
        spans = [(0, KEPT_FIRST), (len(self.rows) - KEPT_LAST, len(self.rows))]
        spans += [(index - KEPT_AROUND, index + KEPT_AROUND) for index, row in enumerate(self.rows) if row.marked]
        out, end = [], 0
        for first, last in sorted(spans):
            if first - end > 20:
                out.append(Row("cut", f"{first - end} rows left out; `bootjack run -v` prints all of them"))
            elif first > end:
                first = end
            out += self.rows[max(first, end, 0):last]
            end = max(end, last)
        return out

    def shown(self):
        """The rows to draw, and long silences as breaks."""
        rows, out, now = self.kept(), [], None
        for row in rows:
            if row.kind == "cut":
                now = None
            elif row.time is not None:
                if now is not None and row.time - now >= GAP:
                    out.append(Row("gap", talk.duration(row.time - now)))
                now = row.time
            out.append(row)
        return out


def clip(text: str, width: float) -> str:
    room = max(8, int(width / CHARACTER))
    return text if len(text) <= room else text[: room - 1] + "…"


class Drawing:
    """SVG text of rows."""

    def __init__(self, rows, names, anchor):
        arrows = [row for row in rows if row.kind in ("arrow", "lost", "icmp")]
        actors = sorted({actor for row in arrows for actor in (row.source, row.target)} | {talk.CLIENT})
        actors = [a for a in actors if a] + [a for a in actors if not a]  # DNS last
        self.x = {actor: FIRST_LINE + SPACING * index for index, actor in enumerate(actors)}
        self.rows, self.names, self.anchor, self.parts = rows, names, anchor, []
        self.width = FIRST_LINE + SPACING * max(1, len(actors) - 1) + 60
        self.last_time = None

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, content, style, width=None, anchor="start"):
        short = clip(content, width if width else self.width - x - 8)
        title = f"<title>{escape(content)}</title>" if short != content else ""
        self.add(f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(short)}{title}</text>')

    def time(self, row, y):
        if row.time is not None and row.time != self.last_time:
            self.text(TIME_WIDTH - 8, y, f"{row.time / talk.SECOND:.6f}", "time", TIME_WIDTH, "end")
            self.last_time = row.time

    def head(self, wire, tip, style, forward):
        self.add(f'<path class="head {style}" d="M{tip:g},{wire:g} l{-9 if forward else 9},-4.5 v9 z"/>')

    def first_difference(self, y):
        self.add(f'<rect class="first" x="{TIME_WIDTH}" y="{y + 2}" width="{self.width - TIME_WIDTH - 4}" height="31" rx="4"/>')
        self.text(TIME_WIDTH + 4, y + 14, "⇒ differs", "first", FIRST_LINE - TIME_WIDTH)

    def arrow(self, row, y):
        if row.marked:
            self.first_difference(y)
        start, end = self.x[row.source], self.x[row.target]
        forward, wire = end >= start, y + 26
        stop = (start + end) / 2 if row.kind == "lost" else end
        dash = " dashed" if row.kind == "icmp" else ""
        self.add(f'<line class="wire {row.style}{dash}" x1="{start}" y1="{wire}" x2="{stop:g}" y2="{wire}"/>')
        if row.kind == "lost":
            self.add(f'<path class="cross" d="M{stop - 6:g},{wire - 6} l12,12 m0,-12 l-12,12"/>')
        else:
            self.head(wire, end, row.style, forward)
        self.label(row, min(start, end), abs(end - start), wire - 7)
        self.time(row, wire + 4)

    def label(self, row, left, span, y):
        """Above the middle of the arrow; a long one begins at its left end and runs on beyond the right one."""
        if len(row.text) * CHARACTER <= span - 24:
            self.text(left + span / 2, y, row.text, f"label {row.style}", span, "middle")
        else:
            self.text(left + 12, y, row.text, f"label {row.style}")

    def row_gap(self, row, y):
        for x in self.x.values():
            self.add(f'<rect class="break" x="{x - 5}" y="{y + 6}" width="10" height="14"/>')
            self.add(f'<line class="life dotted" x1="{x}" y1="{y + 5}" x2="{x}" y2="{y + 21}"/>')
        self.text(TIME_WIDTH - 8, y + 17, "+ " + row.text, "gap", TIME_WIDTH, "end")

    def row_cut(self, row, y):
        self.row_gap(Row("gap", "…"), y)
        self.text(FIRST_LINE + 16, y + 18, row.text, "note")

    def row_step(self, row, y):
        self.add(f'<a href="#{self.anchor}-L{row.line}">')
        self.text(FIRST_LINE + 12, y + 14, f"▸ {row.line}  {row.text}", "step")
        self.add("</a>")

    def row_failed(self, row, y):
        self.add(f'<rect class="failed" x="{TIME_WIDTH}" y="{y + 1}" width="{self.width - TIME_WIDTH - 4}" height="18"/>')
        self.text(FIRST_LINE + 12, y + 14, f"✗ {row.line}  {row.text}", "failure")
        self.time(row, y + 14)

    def row_text(self, row, y):
        self.add(f'<circle class="dot" cx="{self.x[talk.CLIENT]}" cy="{y + 10}" r="3"/>')
        self.text(FIRST_LINE + 12, y + 14, row.text, f"note {row.style}")
        self.time(row, y + 14)

    def row_verdict(self, row, y):
        self.add(f'<rect class="mark {row.style}" x="{TIME_WIDTH}" y="{y + 8}" width="{self.width - TIME_WIDTH - 4}" '
                 'height="24" rx="4"/>')
        # Bold, and a size larger: a sixth wider than the rest.
        self.text(TIME_WIDTH + 12, y + 24, row.text, f"verdict {row.style}", (self.width - TIME_WIDTH - 28) / 1.17)

    def svg(self) -> str:
        top, bottom = 34, 34 + sum(row.height for row in self.rows)
        for actor, x in self.x.items():
            self.add(f'<line class="life" x1="{x}" y1="{top - 6}" x2="{x}" y2="{bottom}"/>')
            name = clip(self.names.get(actor, f"actor {actor}"), 150)
            half = max(34, len(name) * 4.2)
            self.add(f'<rect class="actor" x="{x - half:g}" y="4" width="{2 * half:g}" height="22" rx="4"/>')
            self.text(x, 19, name, "name", 2 * half, "middle")
        y = top
        for row in self.rows:
            draw = self.arrow if row.kind in ("arrow", "lost", "icmp") else getattr(self, "row_" + row.kind)
            draw(row, y)
            y += row.height
        return (f'<svg class="chart" role="img" aria-label="message sequence chart" width="{self.width}" '
                f'height="{bottom + 6}" viewBox="0 0 {self.width} {bottom + 6}">{"".join(self.parts)}</svg>')


def chart(result, anchor: str) -> str:
    """The SVG of one result; empty when its events were not recorded."""
    if not result.events:
        return ""
    builder = Builder(result.events)
    mark = Row("verdict", f"{result.verdict}: {result.reason}" if result.reason else result.verdict, style=result.verdict)
    return Drawing([*builder.shown(), mark], builder.names, anchor).svg()


TRAFFIC = ("actor", "sent", "received", "lost", "icmp", "stream-open", "stream-sent", "stream-received", "stream-closed",
           "dns-query", "dns-answer")


def traffic_chart(result, anchor: str, marked=None) -> str:
    """The SVG of what went over the network, of one side of a replay. `marked`: (time in microseconds, by the client) of
    the datagram where it first differs from the other side; None where this side has none."""
    builder = Builder([event for event in result.events if event["kind"] in TRAFFIC])
    if not builder.rows:
        return ""
    if marked:
        builder.mark(*marked)
    broken = [Row("verdict", f"{result.verdict}: {result.reason}", style=result.verdict)] if result.failed else []
    return Drawing([*builder.shown(), *broken], builder.names, anchor).svg()
