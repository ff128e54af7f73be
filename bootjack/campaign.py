# SPDX-License-Identifier: Apache-2.0
"""A night of bootstrap sessions that nobody wrote, against one client: `python3 -m bootjack.campaign --client CLIENT`.

Round after round, Hypothesis makes scenarios (bootjack/strategies.py). One that fails is made small and kept in the folder,
named after what it breaks; the same is not looked for again. Where it goes on from is a number, so that a campaign can be
repeated: the rounds of `--seed N` are always the same.
"""
from __future__ import annotations

import argparse
import pathlib
import re
import sys
import time
from collections.abc import Iterator

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from harness.pytest_bootjack.api import BootjackMissing, Result, ScenarioError

from . import properties, strategies
from .control import ControlError
from .scenario import Scenario

PASSED, FOUND, COULD_NOT_RUN = 0, 1, 2
EXAMPLES = 100  # of a round


def kind_of(result: Result) -> str:
    """What is the same failure: the rules that were broken, or the reason without its numbers and names."""
    rules = sorted({str(one["rule"]) for one in result.broken if not one.get("excuse")})
    if rules:
        return "-".join(rules)
    text = re.sub(r"'[^']*'|\"[^\"]*\"|[0-9][0-9.x]*", "", result.reason)
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")[:60].strip("-") or result.verdict


class Campaign:
    """What was found so far, by its kind, and how many scenarios were played."""

    def __init__(self, client: str | None, folder: pathlib.Path) -> None:
        self.client, self.folder = client, folder
        self.found: dict[str, properties.PropertyFailed] = {}
        self.played = 0

    def holds(self, scenario: Scenario, seed: int) -> None:
        self.played += 1
        result = properties.run(scenario, self.client, seed)
        kind = kind_of(result)
        if result.verdict not in properties.GOOD and kind not in self.found:
            raise properties.failure(scenario, result, self.client, seed, self.folder, kind)

    def round(self, number: int) -> properties.PropertyFailed | None:
        """So many scenarios, and the smallest that fails in a way that is not known yet."""

        @hypothesis.seed(number)
        @given(strategies.scenarios(), st.integers(1, 1000))
        @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, print_blob=False, report_multiple_bugs=False,
                             suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])
        def holds(scenario: Scenario, seed: int) -> None:
            self.holds(scenario, seed)

        try:
            holds()
        except properties.PropertyFailed as failure:
            kind = kind_of(failure.result)
            self.found[kind] = failure
            for other in self.folder.glob("*.yaml"):  # on the way to the smallest, others were seen
                if other.stem not in self.found:
                    other.unlink()
            return failure
        return None


def rounds(first: int, most: int | None, minutes: float) -> Iterator[int]:
    """Numbers of rounds, until so many were played, or the time is over."""
    end, number = time.monotonic() + 60 * minutes, first
    while number < first + most if most is not None else time.monotonic() < end:
        yield number
        number += 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m bootjack.campaign", description=__doc__,
                                     epilog="Exit status: 0 nothing was found, 1 something was, 2 it could not run.")
    parser.add_argument("--client", help="as for `bootjack run --client`; ours, linked, if not given")
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--rounds", type=int, help=f"so many rounds of {EXAMPLES} scenarios, however long they take")
    parser.add_argument("--seed", type=int, default=1, help="the number of the first round (1)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("bootjack-campaign"), help="for what is found (bootjack-campaign)")
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or (options.rounds is not None and options.rounds < 1):
        parser.error("--minutes and --rounds are more than nothing")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    campaign = Campaign(options.client, options.folder)
    began = time.monotonic()
    try:
        for number in rounds(options.seed, options.rounds, options.minutes):
            failure = campaign.round(number)
            if failure:
                print(f"round {number}: {failure}\n", flush=True)
    except (BootjackMissing, ControlError, ScenarioError, OSError) as problem:
        print(f"bootjack.campaign: {problem}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    taken = time.monotonic() - began
    print(f"{campaign.played} scenarios in {taken:.0f} s, {len(campaign.found)} findings")
    for failure in campaign.found.values():
        print(f"  {failure.file}: {failure.result.reason}")
    return FOUND if campaign.found else PASSED


if __name__ == "__main__":
    sys.exit(main())
