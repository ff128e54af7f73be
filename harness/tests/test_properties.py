# SPDX-License-Identifier: Apache-2.0
"""Scenarios that Hypothesis makes: our client stands them, and a client with a planted defect does not; what is found is
small, saved and named."""
import pathlib
import re

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from bootjack import Scenario, campaign, properties, strategies
from bootjack.properties import PropertyFailed
from harness.pytest_bootjack import api
from harness.teeth import planted, tree

BOUNDED = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@given(strategies.scenarios())
@settings(max_examples=80, **BOUNDED)
def test_our_client_stands_whatever_the_bootstrap_server_does(scenario):
    properties.holds(scenario)


@given(strategies.scenarios(bad_network=False))
@settings(max_examples=20, **BOUNDED)
def test_and_so_it_does_under_the_preload_library(scenario):
    properties.holds(scenario, client="bootjack-client", seed=2)


@given(strategies.scenarios(most_commands=3))
@settings(max_examples=10, phases=[Phase.generate], **BOUNDED)
def test_scenarios_are_files(scenario):
    """What is made needs nothing of Python: it is a scenario file like any other."""
    assert Scenario.parse(scenario.text()).text() == scenario.text()


# Defects that can be seen on the wire alone, and in how many steps at the most.
DEFECTS = {"delete-takes-the-account": 5, "refused-request-is-final": 6, "finish-is-awaited-for-ever": 3, "no-hold-off": 4}


def profile_of(program, name, folder):
    """Our client as a program, with that defect (None: with none)."""
    profile = yaml.safe_load((api.ROOT / "harness/clients/bootjack-client.yaml").read_text())
    profile["command"][0] = str(program)
    profile["environment"] = [f"{tree.SWITCH}={name or ''}"]
    file = folder / f"{name or 'sound'}.yaml"
    file.write_text(yaml.safe_dump(profile))
    return str(file)


def breaks(client, folder, name):
    """The failure that Hypothesis finds of that client, made small."""

    @given(strategies.scenarios())
    @settings(max_examples=200, print_blob=False, **BOUNDED)
    def holds(scenario):
        properties.holds(scenario, client=client, folder=folder, name=name)

    with pytest.raises(PropertyFailed) as caught:
        holds()
    return caught.value


def test_planted_defects_are_found_and_made_small(tmp_path):
    """One test for all of them: they are in one program, which is built here."""
    defects = [defect for defect in planted.read() if defect.name in DEFECTS]
    assert len(defects) == len(DEFECTS)
    program = tree.build_client(planted.plant(tree.ROOT, defects, 1), [defect.name for defect in defects])
    sound = profile_of(program, None, tmp_path)
    for defect in defects:
        client = profile_of(program, defect.name, tmp_path)
        failure = breaks(client, tmp_path / "failures", defect.name)
        found = Scenario.load(failure.file)
        assert failure.file == tmp_path / "failures" / f"{defect.name}.yaml"
        assert len(found.steps) <= DEFECTS[defect.name], found.text()
        assert f"scenario: {failure.file}\nreproduce: " in str(failure)
        assert api.run_scenario(failure.file, client=client, options=["--no-canary"]).verdict == "fail"
        assert api.run_scenario(failure.file, client=sound, options=["--no-canary"]).verdict in properties.GOOD


def test_a_failure_says_how_to_see_it_again(tmp_path):
    """Without Hypothesis: a scenario that no client can pass."""
    scenario = Scenario(title="Nobody asks so", client={"bootstrap": {"uri": "coap://bs.example"}},
                        steps=[{"request": {"to": "bs", "path": "/nowhere"}}])
    with pytest.raises(PropertyFailed, match="expected a request to /nowhere") as caught:
        properties.holds(scenario, folder=tmp_path)
    assert caught.value.file.name == "test_properties.test_a_failure_says_how_to_see_it_again.yaml"
    again = re.search(r"^reproduce: (.*)$", str(caught.value), re.M)[1]
    assert str(caught.value.file) in again and again.endswith("-v")
    kept = Scenario.load(caught.value.file)
    assert kept.title == scenario.title and "Found by Hypothesis" in kept.document["description"]


def test_mistakes_are_no_failures(tmp_path):
    with pytest.raises(api.ScenarioError, match="did you mean 'write'"):
        properties.holds(Scenario(steps=[{"wriet": "/0"}]), folder=tmp_path)
    assert list(pathlib.Path(tmp_path).iterdir()) == []


LAZY = str(api.ROOT / "harness/tests/clients/always-5.00.yaml")


def test_a_campaign_keeps_what_it_finds(tmp_path, capsys):
    """The same rounds find the same; what is known is not looked for again."""
    found = []
    for name in ("one", "two"):
        assert campaign.main(["--client", LAZY, "--rounds", "2", "--seed", "7", "--folder", str(tmp_path / name)]) == campaign.FOUND
        found.append({file.name: file.read_text() for file in (tmp_path / name).iterdir()})
    printed = capsys.readouterr().out
    assert found[0] == found[1] and found[0] and re.search(r"^\d+ scenarios in \d+ s, [12] findings$", printed, re.M)
    for name, text in found[0].items():
        assert f"{tmp_path / 'one' / name}: " in printed and len(Scenario.parse(text).steps) <= 6
        assert api.run_scenario(tmp_path / "one" / name, client=LAZY, options=["--no-canary"]).verdict == "fail"


def test_a_campaign_that_finds_nothing(tmp_path, capsys):
    assert campaign.main(["--rounds", "1", "--folder", str(tmp_path / "found")]) == campaign.PASSED
    assert re.fullmatch(r"100 scenarios in \d+ s, 0 findings\n", capsys.readouterr().out)
    assert not (tmp_path / "found").exists()


def test_a_campaign_that_cannot_run(tmp_path, capsys):
    assert campaign.main(["--client", "nobody", "--rounds", "1", "--folder", str(tmp_path)]) == campaign.COULD_NOT_RUN
    assert "there is none 'nobody'" in capsys.readouterr().err
    for words in (["--minutes", "0"], ["--rounds", "0"], ["--nonsense"]):
        with pytest.raises(SystemExit):
            campaign.main(words)
