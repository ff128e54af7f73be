# SPDX-License-Identifier: Apache-2.0
"""Text put into a source file around spans of it. Spans may lie beside or inside one another; what they hold stays where
it is, so that every defect of a file can be there at once, each behind a switch of its own."""
import dataclasses


class Overlap(Exception):
    """Two spans of which neither holds the other."""


@dataclasses.dataclass(frozen=True)
class Insertion:
    start: int  # offsets in bytes
    end: int
    before: str
    behind: str


def check(insertions):
    """Spans in the order of their beginnings, the outer ones first."""
    ordered = sorted(insertions, key=lambda i: (i.start, -i.end))
    open_spans = []
    for one in ordered:
        while open_spans and open_spans[-1].end <= one.start:
            open_spans.pop()
        if open_spans and one.end > open_spans[-1].end:
            raise Overlap(f"bytes {one.start} to {one.end} and {open_spans[-1].start} to {open_spans[-1].end}")
        open_spans.append(one)
    return ordered


def apply(data, insertions):
    """The bytes of the file with all of them put in."""
    ordered = check(insertions)
    pieces = []
    for rank, one in enumerate(ordered):
        # At one offset: what ends comes before what begins; of ends the inner one, of beginnings the outer one first.
        pieces.append((one.start, 1, rank, one.before))
        pieces.append((one.end, 0, -rank, one.behind))
    out, at = [], 0
    for offset, _, _, text in sorted(pieces):
        out.append(data[at:offset])
        out.append(text.encode())
        at = offset
    out.append(data[at:])
    return b"".join(out)
