# SPDX-License-Identifier: Apache-2.0
"""`/usr/bin/python3 -m harness.report RESULTS.jsonl -o report/ [--list]`: results of `bootjack run --json -v` as one
page of HTML that needs nothing else; with --list a line a scenario on standard output, too."""
from __future__ import annotations

import argparse
import pathlib
import sys

import jinja2

from harness.pytest_bootjack.api import ROOT

from . import model


OUTPUT_SHOWN = 200


def tail(lines) -> str:
    """The last lines of a client's output."""
    cut = len(lines) - OUTPUT_SHOWN
    return "\n".join(([f"({cut} lines before)"] if cut > 0 else []) + list(lines[-OUTPUT_SHOWN:]))


def render(report) -> str:
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    environment.filters["tail"] = tail
    return environment.get_template("report.html").render(report=report)


def listing(report) -> str:
    width = max((len(entry.name) for entry in report.entries), default=0)
    lines = []
    for entry in report.entries:
        times = f"{entry.real:>9}  virtual {entry.virtual}"
        lines.append(f"{entry.result.verdict:<12} {entry.name:<{width}} {times}")
        if entry.result.verdict != "pass":
            where = f"{entry.result.scenario}:{entry.failing_line}: " if entry.failing_line else ""
            lines.append(f"{'':12} {where}{entry.result.reason}")
    return "\n".join(lines + [f"{report.summary()}; {report.virtual} of virtual time in {report.real}"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="harness.report", description=__doc__)
    parser.add_argument("results", help="what `bootjack run --json -v` printed")
    parser.add_argument("-o", "--output", default="report", help="folder for index.html (report)")
    parser.add_argument("--rules", default=ROOT / "scenarios" / "rules.yaml", help="the catalogue of rules")
    parser.add_argument("--list", action="store_true", help="print a line a scenario and a summary")
    options = parser.parse_args()
    results = model.read_results(options.results)
    if not results:
        print(f"harness.report: {options.results} holds no result", file=sys.stderr)
        return 2
    report = model.make(results, options.rules)
    page = pathlib.Path(options.output) / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(report), encoding="utf-8")
    if options.list:
        print(listing(report))
    print(f"report: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
