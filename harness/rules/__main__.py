# SPDX-License-Identifier: Apache-2.0
"""Writes docs/rules.md. Exit status: 0; 1 when a MUST lacks a side, or with --check when the page is out of date; 2 when the
scenarios cannot be read."""
import argparse
import sys

from harness.pytest_bootjack import api

from . import page


def main(arguments) -> int:
    parser = argparse.ArgumentParser(prog="ci/rules", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is what would be written")
    options = parser.parse_args(arguments)
    try:
        rules = page.gather()
    except (api.BootjackMissing, api.ScenarioError) as problem:
        print(f"ci/rules: {problem}", file=sys.stderr)
        return 2
    text = page.write(rules, page.CATALOGUE.read_text(encoding="utf-8"))
    wrong = page.problems(rules)
    if options.check:
        there = page.PAGE.read_text(encoding="utf-8") if page.PAGE.is_file() else ""
        wrong += [] if there == text else [f"{page.PAGE.relative_to(page.ROOT)} is out of date: run ci/rules"]
    else:
        page.PAGE.write_text(text, encoding="utf-8")
    for problem in wrong:
        print(f"ci/rules: {problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
