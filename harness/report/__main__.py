# SPDX-License-Identifier: Apache-2.0
"""Results of `bootjack run --json -v` as one page of HTML that needs nothing else, and as results.json; or what changed
between two runs."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys

import jinja2


from . import compare, model


OUTPUT_SHOWN = 200


def tail(lines) -> str:
    """The last lines of a client's output."""
    cut = len(lines) - OUTPUT_SHOWN
    return "\n".join(([f"({cut} lines before)"] if cut > 0 else []) + list(lines[-OUTPUT_SHOWN:]))


def written(output) -> list:
    """What a client wrote, each line with the time in seconds at which it did, where that is known."""
    lines = []
    for line in output:
        if "left_out" in line:
            lines.append(f"({line['left_out']} lines were not kept)")
        lines.append((f"{line['t']:14.6f}  " if "t" in line else "                ") + line["text"])
    return lines


def environment():
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                              undefined=jinja2.StrictUndefined)
    made.filters["tail"] = tail
    made.filters["written"] = written
    made.globals["signs"] = model.SIGNS
    return made


CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def shown(page) -> str:
    """What scenarios and clients say may hold any character; a page holds no control characters."""
    return page.translate(CONTROLS)


def render(report) -> str:
    return shown(environment().get_template("report.html").render(report=report))


def render_replay(report, comparison) -> str:
    if len(report.entries) != 2:
        raise model.Unreadable("a replay has two conversations, and no others")
    sides = list(zip(report.entries, (comparison.marked("captured"), comparison.marked("replayed"))))
    return shown(environment().get_template("replay.html").render(sides=sides, comparison=comparison))


def listing(report) -> str:
    width = max((len(entry.name) for entry in report.entries), default=0)
    lines = []
    for entry in report.entries:
        times = f"{entry.real:>9}  virtual {entry.virtual}"
        lines.append(f"{entry.result.verdict:<12} {entry.name:<{width}} {times}")
        if entry.result.verdict != "pass":
            where = f"{entry.result.file}:{entry.failing_line}: " if entry.failing_line else ""
            lines.append(f"{'':12} {where}{entry.result.reason}")
    return "\n".join(lines + [f"{report.summary()}; {report.virtual} of virtual time in {report.real}"])


def write(report, folder, comparison=None):
    folder.mkdir(parents=True, exist_ok=True)
    page = render_replay(report, comparison) if comparison else render(report)
    (folder / "index.html").write_text(page, encoding="utf-8")
    text = json.dumps(model.as_json(report), ensure_ascii=False, indent=1)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")


def read(paths) -> list:
    results = [result for path in paths for result in model.read_results(path)]
    if not results:
        raise model.Unreadable(f"{', '.join(paths)}: no result")
    return results


def make_report(options) -> int:
    results = read(options.results)
    folder = pathlib.Path(options.output)
    not_run = [row for path in options.results for row in model.read_not_run(path)]
    report = model.make(results, options.rules or model.CATALOGUE, folder, not_run)
    write(report, folder, model.read_comparison(options.comparison) if options.comparison else None)
    if options.list:
        print(listing(report))
    print(f"report: {folder / 'index.html'}")
    return 0


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """Wrong usage has the exit status that it has with every command of bootjack."""
        print(f"{self.prog}: {message}\nTry '{self.prog} --help'.", file=sys.stderr)
        sys.exit(64)


def parse(arguments):
    parser = Parser(prog=os.environ.get("BOOTJACK_REPORT_NAME", "harness.report"), description=__doc__)
    parser.add_argument("results", nargs="*", metavar="RESULTS",
                        help="what `bootjack run --json -v` printed, or the results.json of a report; several clients' "
                             "results make one matrix")
    parser.add_argument("-o", "--output", default="report", help="folder for index.html and results.json (report)")
    parser.add_argument("--rules", help="the catalogue of rules")
    parser.add_argument("--list", action="store_true", help="print a line a scenario and a summary")
    parser.add_argument("--comparison", metavar="FILE",
                        help="the comparison.json of `bootjack replay --report`: the page shows the two conversations side by "
                             "side")
    parser.add_argument("--compare", nargs=2, metavar=("BEFORE", "AFTER"),
                        help="print what changed between two runs; exit status 1 when something got worse")
    options = parser.parse_args(arguments)
    if bool(options.compare) == bool(options.results):
        parser.error("give RESULTS, or --compare BEFORE AFTER")
    return options


def main(arguments=None) -> int:
    options = parse(arguments)
    try:
        if options.compare:
            before, after = (read([path]) for path in options.compare)
            changes = compare.changes(before, after)
            print(compare.text(changes))
            return 1 if compare.got_worse(changes) else 0
        return make_report(options)
    except OSError as problem:
        place = f"{problem.filename}: " if problem.filename else ""
        print(f"bootjack report: {place}{problem.strerror or problem}", file=sys.stderr)
        return 2
    except model.Unreadable as problem:
        print(f"bootjack report: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # a letter that the terminal has not is no reason to fail
        stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
