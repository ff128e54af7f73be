# SPDX-License-Identifier: Apache-2.0
"""pytest fixtures: `world`, a fresh `World`, and `make_world`, which makes them.

    def test_a_server_that_refuses_is_asked_again(world):
        world.bs.request("POST", "/bs")
        world.bs.respond(4.03)
        world.bs.request("POST", "/bs", at="due(holdoff)")

    @pytest.mark.world({"client": {"bootstrap": {"uri": "coap://bs.example", "holdoff": "1h"}}}, seed=7)
    def test_an_hour_is_waited_for(world): ...

Every world is judged where the test's function ends: a test passes when its worlds do. `--client` and `--seed` say against
which client and with which seed. What a failed test scripted is saved in the folder `bootjack_failures` (a setting of pytest;
`bootjack-failures` if not given) and named in its report; `bootjack run` does it again.
"""
from __future__ import annotations

import functools
import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from .world import RunSkipped, StepFailed, World


class MakeWorld(Protocol):
    """What the fixture `make_world` is: `World`, with `--client` and `--seed` where they are not given."""

    def __call__(self, scenario: Any = None, *, client: str | None = None, seed: int | None = None,
                 limit: int | None = None) -> World: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("bootjack_failures", "folder for the scenarios of failed tests", default="bootjack-failures")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("BOOTJACK_FAILURES", str(failures_folder(config)))  # for bootjack.properties
    config.addinivalue_line("markers", "world(scenario=None, client=None, seed=None, limit=None): how the fixture `world` is made")


def failures_folder(config: pytest.Config) -> pathlib.Path:
    """Where the scenarios of failed tests go."""
    return config.rootpath / str(config.getini("bootjack_failures"))


@pytest.fixture
def make_world(request: pytest.FixtureRequest) -> Iterator[MakeWorld]:
    """Makes worlds, which are judged and closed with the test."""
    worlds: list[World] = request.node.stash.setdefault(WORLDS, [])

    def make(scenario: Any = None, *, client: str | None = None, seed: int | None = None,
             limit: int | None = None) -> World:
        given = request.config.getoption("--seed", default=None)
        seed = seed if seed is not None else int(given) if given is not None else 1
        client = client or request.config.getoption("--client", default=None)
        try:
            worlds.append(World(scenario, client=client, seed=seed, limit=limit))
        except RunSkipped as skipped:
            pytest.skip(str(skipped))
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()


@pytest.fixture
def world(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    """A fresh world; `pytest.mark.world(...)` says how it is made."""
    marker = request.node.get_closest_marker("world")
    return make_world(*marker.args, **marker.kwargs) if marker else make_world()


WORLDS = pytest.StashKey[list[World]]()


@pytest.hookimpl(tryfirst=True)  # type: ignore[misc]
def pytest_runtest_call(item: pytest.Item) -> None:
    """The test's function is followed by the judgement of its worlds, inside the same phase: so that a test fails for what
    they say, and not only its teardown."""
    if isinstance(item, pytest.Function) and WORLDS in item.stash:
        item.obj = _judged(item.obj, item)


def _judged(function: Callable[..., Any], item: pytest.Function) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        worlds: list[World] = item.stash[WORLDS]
        try:
            function(*args, **kwargs)
            for one in worlds:
                if not one.told:
                    one.finish()
        except RunSkipped as skipped:
            pytest.skip(str(skipped))
        except StepFailed as failed:
            failed.args = (f"{failed.args[0]}{_kept(item, worlds, failed)}",)
            raise

    return call


def _kept(item: pytest.Function, worlds: list[World], failed: StepFailed) -> str:
    """Saves the scenario of the world that failed; how to run it again."""
    for one in worlds:
        if one.result is failed.result:
            name = re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name).strip("-")
            file = one.scenario.save(failures_folder(item.config) / f"{item.path.stem}.{name}.yaml")
            return f"\n\nscenario: {file}\nreproduce: {one.reproduce(file)}"
    return ""
