# SPDX-License-Identifier: Apache-2.0
"""What the report shows, gathered from results, scenario files and the catalogue of rules."""
from __future__ import annotations

import base64
import collections
import dataclasses
import json
import pathlib

import yaml

from harness.pytest_bootjack import api, conversation, files

from .chart import chart, traffic_chart

CATALOGUE = api.ROOT / "scenarios" / "rules.yaml"

ORDER = ("fail", "error", "warn", "inconclusive", "xfail", "bricked", "skip", "pass")
# Verdicts are told apart without colours, too.
SIGNS = {"fail": "✗", "error": "‼", "warn": "!", "inconclusive": "?", "xfail": "≈", "bricked": "▪", "skip": "–", "pass": "✓"}
SAMPLE = 256 << 10  # a larger capture is not put into the page; it lies beside it


@dataclasses.dataclass
class Entry:
    """One scenario of the report."""

    result: api.Result
    number: int
    source: str
    document: dict
    page_folder: pathlib.Path = pathlib.Path(".")

    @property
    def anchor(self):
        return f"s{self.number}"

    @property
    def name(self):
        """The path below the folder `scenarios`, and the case."""
        parts = self.result.file.parts
        below = parts[len(parts) - 1 - parts[::-1].index("scenarios") + 1:] if "scenarios" in parts else parts[-2:]
        return "/".join(below).removesuffix(".yaml") + (f" {self.result.case}" if self.result.case else "")

    @property
    def topic(self):
        return self.name.split("/")[0] if "/" in self.name else "-"

    @property
    def shows(self):
        return self.result.shows or self.document.get("shows", "")

    @property
    def rules(self):
        rules = self.result.rules or self.document.get("rules") or []
        return [rules] if isinstance(rules, str) else rules

    @property
    def broken(self):
        """Ids of the rules that oracles found broken."""
        return [found["rule"] for found in self.result.broken]

    @property
    def concerns(self):
        """Those that it shows, and those that were found broken in it."""
        return list(dict.fromkeys([*self.rules, *self.broken]))

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

    @property
    def sign(self):
        return SIGNS.get(self.result.verdict, "?")

    def chart(self):
        return chart(self.result, self.anchor)

    def traffic(self, marked):
        """The chart of what went over the network, and nothing else."""
        return traffic_chart(self.result, self.anchor, marked)

    @property
    def capture_name(self):
        return self.name.replace("/", "-").replace(" ", "-") + ".pcapng"

    def capture_address(self):
        """Where the page's reader finds the capture: in the page itself, or beside it. Empty when there is none."""
        path = pathlib.Path(self.result.capture)
        if not self.result.capture or not path.is_file():
            return ""
        if path.stat().st_size <= SAMPLE:
            return "data:application/octet-stream;base64," + base64.b64encode(path.read_bytes()).decode()
        whole, folder = path.resolve(), self.page_folder.resolve()
        return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else ""


class Unreadable(Exception):
    """A file that holds no results."""


def read_results(path) -> list:
    """Results from what `bootjack run --json` printed (an object a line), or from the results.json of a report."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{\"scenario\"")]
        if not rows and text.lstrip().startswith("{"):
            rows = json.loads(text)["results"]
        return [api.Result.from_json(row) for row in rows]
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Unreadable(f"{path}: not results of bootjack run: {problem}") from problem


def read_not_run(path) -> list:
    """[{"not_run": how many scenarios, "why": ...}], where results are a part of a run."""
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    rows = [json.loads(line) for line in text.splitlines() if line.startswith('{"not_run"')]
    if not rows and text.lstrip().startswith("{\n"):
        rows = json.loads(text).get("not_run", [])
    return rows


@dataclasses.dataclass
class Comparison:
    """How a replay compares with its capture: the comparison.json of `bootjack replay --report`."""

    file: str
    captured: str
    client: str
    seed: int
    first: int
    said: list
    assumed: list
    rows: list

    @property
    def name(self):
        return pathlib.PurePath(self.file).name

    def marked(self, side):
        """The message of the first difference on this side, as a chart finds it; None where that side has none."""
        message = self.rows[self.first][side] if self.first >= 0 else None
        return (round(message["at"] * conversation.SECOND), message["by_client"]) if message else None


def read_comparison(path) -> Comparison:
    try:
        document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        return Comparison(**{field.name: document[field.name] for field in dataclasses.fields(Comparison)})
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise Unreadable(f"{path}: not how a replay compares: {problem}") from problem


def read_entry(number, result, page_folder) -> Entry:
    path = result.file
    source = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    try:
        document = yaml.load(source, Loader=files.Tolerant)
    except yaml.YAMLError:
        document = None
    return Entry(result, number, source, document if isinstance(document, dict) else {}, page_folder)


def read_rules(path) -> dict:
    path = pathlib.Path(path)
    if path == CATALOGUE and not path.is_file():
        return {}  # an installed program has none beside it
    try:
        return files.rule_entries(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as problem:
        raise Unreadable(f"{path}: not a catalogue of rules: {' '.join(str(problem).split())}") from problem


@dataclasses.dataclass
class Report:
    entries: list
    rules: dict
    not_run: list = dataclasses.field(default_factory=list)  # rows as read_not_run() gives them

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
            for rule in entry.concerns:
                shown[rule].append(entry)
        ids = [*self.rules, *sorted(set(shown) - set(self.rules))]
        return [(i, self.rules.get(i, {}), *(self.side(shown[i], side) for side in ("accept", "refuse", ""))) for i in ids]

    @property
    def matrix(self):
        """(id, facts, a cell a client): the worst verdict of the scenarios that show the rule, with their entries, the
        worst first; None where no scenario of that client shows it."""
        rows = []
        for rule, facts, *sides in self.by_rule:
            entries = sorted((entry for side in sides for entry in side), key=lambda e: ORDER.index(e.result.verdict))
            rows.append((rule, facts, [self.cell(entries, client) for client in self.clients]))
        return rows

    @staticmethod
    def cell(entries, client):
        own = [entry for entry in entries if entry.result.client == client]
        good = sum(entry.result.verdict in ("pass", "warn") for entry in own)
        return {"worst": own[0], "good": good, "count": len(own)} if own else None

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
    def failures(self):
        return [entry for entry in self.entries if entry.result.failed]

    def summary(self) -> str:
        """`41 passed, 0 failed, 1 skipped` and, where there are any, the rarer verdicts."""
        skipped = self.count("skip") + self.count("inconclusive")
        words = [f"{self.count('pass') + self.count('warn')} passed", f"{self.count('fail') + self.count('error')} failed",
                 f"{skipped} skipped"]
        rare = {"warn": "with a warning", "inconclusive": "inconclusive", "xfail": "expected failures", "bricked": "bricked by lawful commands", "error": "errors"}
        words += [f"{self.count(v)} {text}" for v, text in rare.items() if self.count(v)]
        return ", ".join(words + [f"{row['not_run']} not run" for row in self.not_run])


def make(results, rules_path, page_folder=".", not_run=()) -> Report:
    entries = [read_entry(number, result, pathlib.Path(page_folder)) for number, result in enumerate(results, 1)]
    return Report(entries, read_rules(rules_path), list(not_run))


# The members of one result in results.json, in the words of docs/event-log.md.
KEPT = ("scenario", "title", "client", "verdict", "reason", "line", "column", "seed", "virtual_us", "real_us",
        "exit_status", "signal", "rules", "shows", "branches", "reproduce", "capture", "script_verdict", "broken", "recovery")


def as_json(report) -> dict:
    """What results.json holds: docs/report.md."""
    return {
        "version": 1,
        "clients": report.clients,
        "counts": {verdict: report.count(verdict) for verdict in ORDER},
        "not_run": report.not_run,
        "results": [{member: getattr(entry.result, member) for member in KEPT} for entry in report.entries],
        "rules": [{"id": rule, "level": facts.get("level", ""), "clause": facts.get("clause", ""), "text": facts.get("text", ""),
                   "verdicts": {client: cell["worst"].result.verdict if cell else None
                                for client, cell in zip(report.clients, cells)}}
                  for rule, facts, cells in report.matrix],
    }
