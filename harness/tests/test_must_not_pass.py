# SPDX-License-Identifier: Apache-2.0
"""Three clients that understand nothing run the whole suite. A scenario that one of them passes is a defect of the
scenario, whatever the oracles say besides; so is one that is skipped, unless for a reason that lies with the way of starting
a client, or because its subject is out of scope."""
import os

import pytest

from harness.pytest_bootjack import api

# A command line carries one server account, without credentials, instance or binding.
CANNOT_BE_TOLD = ("more than one server account", "credentials", "the Object Instance of a server account", "a Binding")


@pytest.fixture(scope="module", params=["never-speaks", "always-2.04", "always-5.00"])
def results(request):
    profile = api.ROOT / f"harness/tests/clients/{request.param}.yaml"
    options = ["--no-canary", "-j", str(os.cpu_count())]
    return api.run_scenarios([api.ROOT / "scenarios"], client=profile, options=options)


def listed(results):
    return [f"{result.verdict} {result.scenario}: {result.reason}" for result in results]


def test_no_scenario_passes(results):
    assert len(results) >= 30
    assert listed(r for r in results if r.script_verdict not in ("fail", "skip")) == []


def test_nothing_is_skipped_without_need(results):
    skipped = [result for result in results if result.verdict == "skip"]
    needless = [r for r in skipped if not any(f"cannot be told {what}" in r.reason for what in CANNOT_BE_TOLD)
                and not r.reason.startswith("out of scope: ")]
    assert listed(needless) == []


def test_every_failure_says_why(results):
    assert listed(r for r in results if r.verdict == "fail" and not r.reason) == []
