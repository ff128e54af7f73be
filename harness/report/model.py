# SPDX-License-Identifier: Apache-2.0
"""What the report shows, gathered from results, scenario files and the catalogue of rules."""
from __future__ import annotations

import collections
import dataclasses
import json
import pathlib

import yaml

from harness.pytest_bootjack import api, conversation, plugin

from .chart import chart

ORDER = ("fail", "error", "warn", "inconclusive", "xfail", "skip", "pass")


@dataclasses.dataclass
class Entry:
    """One scenario of the report."""

    result: api.Result
    number: int
    source: str
    document: dict

    @property
    def anchor(self):
        return f"s{self.number}"

    @property
    def name(self):
        """The path below the folder `scenarios`."""
        parts = pathlib.Path(self.result.scenario).parts
        below = parts[len(parts) - 1 - parts[::-1].index("scenarios") + 1:] if "scenarios" in parts else parts[-2:]
        return "/".join(below).removesuffix(".yaml")

    @property
    def topic(self):
        return self.name.split("/")[0] if "/" in self.name else "-"

    @property
    def shows(self):
        return self.document.get("shows", "")

    @property
    def rules(self):
        rules = self.result.rules or self.document.get("rules") or []
        return [rules] if isinstance(rules, str) else rules

    @property
    def failing_line(self):
        if self.result.verdict in ("skip", "pass"):
            return 0
        return conversation.failing_line(self.result) if self.result.failed else self.result.line

    @property
    def virtual(self):
        return conversation.duration(self.result.virtual_us)

    @property
    def real(self):
        return conversation.duration(self.result.real_us)

    def chart(self):
        return chart(self.result, self.anchor)


def read_results(path) -> list:
    """Results from a file of JSON objects, one a line."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return [api.Result.from_json(json.loads(line)) for line in stream if line.startswith("{")]


def read_entry(number, result) -> Entry:
    path = pathlib.Path(result.scenario)
    source = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    try:
        document = yaml.load(source, Loader=plugin.Tolerant)
    except yaml.YAMLError:
        document = None
    return Entry(result, number, source, document if isinstance(document, dict) else {})


def read_rules(path) -> dict:
    path = pathlib.Path(path)
    return plugin.rule_entries(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.is_file() else {}


@dataclasses.dataclass
class Report:
    entries: list
    rules: dict

    def count(self, verdict, entries=None):
        return sum(entry.result.verdict == verdict for entry in (self.entries if entries is None else entries))

    @property
    def verdicts(self):
        """(verdict, how many) of those that occur, the worst first."""
        return [(verdict, self.count(verdict)) for verdict in ORDER if self.count(verdict)]

    @property
    def topics(self):
        topics = collections.defaultdict(list)
        for entry in self.entries:
            topics[entry.topic].append(entry)
        return sorted(topics.items())

    @property
    def by_rule(self):
        """(id, facts, scenarios that show acceptance, refusal, neither) for every rule, unknown ids at the end."""
        shown = collections.defaultdict(list)
        for entry in self.entries:
            for rule in entry.rules:
                shown[rule].append(entry)
        ids = [*self.rules, *sorted(set(shown) - set(self.rules))]
        return [(i, self.rules.get(i, {}), *(self.side(shown[i], side) for side in ("accept", "refuse", ""))) for i in ids]

    @staticmethod
    def side(entries, side):
        return [entry for entry in entries if entry.shows == side]

    @property
    def clients(self):
        return sorted({entry.result.client for entry in self.entries if entry.result.client})

    @property
    def seeds(self):
        return sorted({entry.result.seed for entry in self.entries})

    @property
    def virtual(self):
        return conversation.duration(sum(entry.result.virtual_us for entry in self.entries))

    @property
    def real(self):
        return conversation.duration(sum(entry.result.real_us for entry in self.entries))

    @property
    def failed(self):
        return any(entry.result.failed for entry in self.entries)

    def summary(self) -> str:
        """`41 passed, 0 failed, 1 skipped` and, where there are any, the rarer verdicts."""
        skipped = self.count("skip") + self.count("inconclusive")
        words = [f"{self.count('pass') + self.count('warn')} passed", f"{self.count('fail') + self.count('error')} failed",
                 f"{skipped} skipped"]
        rare = {"warn": "with a warning", "inconclusive": "inconclusive", "xfail": "expected failures", "error": "errors"}
        return ", ".join(words + [f"{self.count(v)} {text}" for v, text in rare.items() if self.count(v)])


def make(results, rules_path) -> Report:
    entries = [read_entry(number, result) for number, result in enumerate(results, 1)]
    return Report(entries, read_rules(rules_path))
