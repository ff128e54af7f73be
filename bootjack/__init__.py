# SPDX-License-Identifier: Apache-2.0
"""Bootjack from Python.

    from bootjack import World

    with World() as world:
        world.bs.request("POST", "/bs")
        world.bs.respond(2.04)
        world.bs.finish(expect=[2.04, 4.06])

`World` scripts the servers of a run step by step, `Scenario` is a scenario to load, change, print and run,
`bootjack.strategies` makes scenarios for Hypothesis. With pytest come the fixtures `world` and `make_world`
(`bootjack.fixtures`).
"""
from harness.pytest_bootjack.api import BootjackMissing, Result, ScenarioError, run_scenario, run_scenarios

from .control import ControlError
from .events import Event, Message, Outcome
from .scenario import Scenario
from .values import File, Hex, ObjLink, Tagged, Text
from .world import RunSkipped, Server, StepFailed, World

__all__ = [
    "BootjackMissing", "ControlError", "Event", "File", "Hex", "Message", "ObjLink", "Outcome", "Result", "RunSkipped",
    "Scenario", "ScenarioError", "Server", "StepFailed", "Tagged", "Text", "World", "run_scenario", "run_scenarios",
]
