# SPDX-License-Identifier: Apache-2.0
"""What changed between two runs: scenarios whose verdict is another one, that came, that went. A scenario is the same when
its file and its client are."""
from __future__ import annotations

import dataclasses

# From good to bad; a step to the right is a step to the worse. What says nothing about the client stands in the middle.
RANK = {"pass": 0, "xfail": 1, "warn": 1, "bricked": 1, "inconclusive": 2, "skip": 2, "error": 3, "fail": 4}


@dataclasses.dataclass(frozen=True)
class Change:
    scenario: str
    client: str
    before: str  # "" = was not there
    after: str  # "" = is not there any more
    reason: str
    rules: tuple

    @property
    def worse(self):
        """A verdict that sank, or a new scenario that fails. One that is gone is no worse by itself."""
        if not self.after:
            return False
        return RANK[self.after] > RANK[self.before] if self.before else RANK[self.after] >= RANK["error"]


def keyed(results):
    return {(result.scenario, result.client): result for result in results}


def changes(before, after) -> list:
    """Changes in the order of the names; the worse ones first."""
    old, new = keyed(before), keyed(after)
    found = []
    for key in old.keys() | new.keys():
        was, now = old.get(key), new.get(key)
        if was and now and was.verdict == now.verdict:
            continue
        shown = now or was
        found.append(Change(*key, was.verdict if was else "", now.verdict if now else "", now.reason if now else "",
                            tuple(shown.rules)))
    return sorted(found, key=lambda change: (not change.worse, change.scenario, change.client))


def got_worse(found) -> bool:
    return any(change.worse for change in found)


def line(change) -> str:
    client = f" ({change.client})" if change.client not in ("", "linked") else ""
    head = f"{change.before or 'new':>12} -> {change.after or 'gone':<12} {change.scenario}{client}"
    rules = f"  [{', '.join(change.rules)}]" if change.rules and change.worse else ""
    reason = f"\n{'':29}{change.reason}" if change.worse and change.reason else ""
    return head + rules + reason


def text(found) -> str:
    if not found:
        return "nothing changed"
    worse = sum(change.worse for change in found)
    return "\n".join([*map(line, found), f"{len(found)} changed, {worse} for the worse"])
