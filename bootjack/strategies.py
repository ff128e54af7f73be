# SPDX-License-Identifier: Apache-2.0
"""Strategies of Hypothesis that make scenarios: bootstrap sessions as a grammar has them, right and wrong, over a network that
is good or bad.

    from hypothesis import given, settings
    from bootjack import properties, strategies

    @given(strategies.scenarios())
    @settings(derandomize=True, deadline=None)
    def test_whatever_the_server_does(scenario):
        properties.holds(scenario)

What such a scenario awaits is only that the client asks to be bootstrapped, and that it answers; whether it answered
rightly is the oracles' to say, and whether it recovers. The simplest scenario is a session without commands.
"""
from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .scenario import Scenario
from .values import Hex

Step = dict[str, Any]

BOOTSTRAP_URI = "coap://bs.example"
URIS = ["coap://mgmt.example", "coap://mgmt.example:5683", "coap://nowhere.example", "coaps://mgmt.example", "mgmt.example", ""]
SSIDS = [101, 102, 1, 65534, 0, 65535]
REFUSALS = [5.03, 4.00, 4.03, 5.00]
TARGETS = ["/", "/0", "/1", "/0/0", "/0/1", "/1/0", "/0/7", "/3", "/3/0", "/2", "/0/1/0"]
FORMATS = ["tlv", "senml-json", "senml-cbor", "lwm2m-cbor"]
DAMAGED = ["c8", "c80020636f61703a2f2f", "ff", "c10065c1", "9f", "5b7b"]


def instances() -> st.SearchStrategy[int]:
    """Ids of Object Instances, small ones first."""
    return st.sampled_from([0, 1, 2, 7, 65534])


@st.composite
def security(draw: st.DrawFn, uris: st.SearchStrategy[str] | None = None,
             ssids: st.SearchStrategy[int] | None = None) -> dict[int, Any]:
    """Values of a Security instance for an LwM2M Server, without security."""
    uri = draw(uris if uris is not None else st.sampled_from(URIS))
    ssid = draw(ssids if ssids is not None else st.sampled_from(SSIDS))
    return {0: uri, 1: False, 2: 3, 3: "", 4: "", 5: "", 10: ssid}


@st.composite
def account(draw: st.DrawFn) -> dict[int, Any]:
    """Values of a Security instance for the Bootstrap-Server itself."""
    return {0: BOOTSTRAP_URI, 1: True, 2: 3, 3: "", 4: "", 5: "", 11: draw(st.sampled_from([1, 5, 60]))}


@st.composite
def server(draw: st.DrawFn) -> dict[int, Any]:
    """Values of a Server instance."""
    ssid, lifetime = draw(st.sampled_from(SSIDS)), draw(st.sampled_from([86400, 60, 300]))
    return {0: ssid, 1: lifetime, 6: draw(st.booleans()), 7: draw(st.sampled_from(["U", "UQ", "T", "X"]))}


@st.composite
def writes(draw: st.DrawFn) -> Step:
    """A Bootstrap-Write of one instance, or of an Object's instances, in any format, in one piece or in blocks."""
    of_security = draw(st.booleans())
    of_what = st.one_of(security(), account()) if of_security else server()
    of_all = draw(st.booleans())
    instance, values = draw(instances()), draw(of_what)
    step: Step = {"write": f"/{0 if of_security else 1}" + ("" if of_all else f"/{instance}")}
    step["values"] = {instance: values} if of_all else values
    form = draw(st.sampled_from(FORMATS))
    if form != FORMATS[0]:
        step["format"] = form
    if draw(st.booleans()):
        step["block"] = draw(st.sampled_from([64, 16, 1024]))
    return step


@st.composite
def good_account(draw: st.DrawFn) -> list[Step]:
    """A Security and a Server instance that belong together."""
    instance, ssid = draw(st.sampled_from([1, 2, 7])), draw(st.sampled_from([101, 1, 65534]))
    values = draw(security(uris=st.just(URIS[0]), ssids=st.just(ssid)))
    return [{"write": f"/0/{instance}", "tlv": values},
            {"write": f"/1/{draw(instances())}", "tlv": {0: ssid, 1: 86400, 6: False, 7: "U"}}]


def commands() -> st.SearchStrategy[list[Step]]:
    """One command of a session, or two that belong together. No code is awaited."""
    targets = st.sampled_from(TARGETS)
    return st.one_of(
        st.builds(lambda target: [{"discover": target}], targets),
        st.builds(lambda target: [{"delete": target}], targets),
        writes().map(lambda step: [step]),
        good_account(),
        st.builds(lambda target: [{"read": target}], targets),
        st.builds(lambda target, data: [{"write": target, "hex": Hex(data)}], targets, st.sampled_from(DAMAGED)),
        st.just([{"discover": "/0"}, {"again": {"server": "bs"}}]),
        st.builds(lambda code: [{"message": {"type": "CON", "code": code, "path": "/0/1", "expect": ["4.xx", "2.xx", "5.xx"]}}],
                  st.sampled_from(["0.02", "0.05", "0.06"])),
    )


def faults() -> st.SearchStrategy[list[Step]]:
    """A command to which something happens on the way that retransmission makes good, or a wait. (An answer to
    Bootstrap-Finish that is lost may be the last word of a client: faults strike commands before it.)"""
    sides = st.sampled_from(["bs", "client"])
    kinds: st.SearchStrategy[Step] = st.one_of(
        st.builds(lambda side, count: {"fault": "drop", "from": side, "count": count}, sides, st.integers(1, 2)),
        sides.map(lambda side: {"fault": "duplicate", "from": side, "count": 1}),
        sides.map(lambda side: {"fault": "delay", "from": side, "count": 1, "delay": "3s"}),
    )
    struck = st.builds(lambda fault, command: [fault, *command], kinds, commands())
    return st.one_of(struck, st.sampled_from(["1s", "30s", "100s"]).map(lambda wait: [{"advance": wait}]))


def failed_attempts() -> st.SearchStrategy[list[Step]]:
    """The client asks, and is not bootstrapped."""
    answers: list[Step] = [{"respond": code} for code in REFUSALS]
    answers += [{"respond": {"reset": True}}, {"ignore": {}}]
    return st.sampled_from(answers).map(lambda answer: [_request(), answer])


def _request() -> Step:
    return {"request": {"to": "bs", "method": "POST", "path": "/bs"}}


def flat(parts: list[list[Step]]) -> list[Step]:
    return [step for part in parts for step in part]


@st.composite
def sessions(draw: st.DrawFn, most: int = 8, bad_network: bool = True) -> list[Step]:
    """The client asks and is answered; then up to `most` commands, and Bootstrap-Finish, or not."""
    parts = st.one_of(commands(), faults()) if bad_network else commands()
    inside = flat(draw(st.lists(parts, max_size=most)))
    finish: list[Step] = draw(st.sampled_from([[{"finish": {}}], []]))
    return [_request(), {"respond": 2.04}, *inside, *finish]


@st.composite
def scenarios(draw: st.DrawFn, most_commands: int = 8, bad_network: bool = True) -> Scenario:
    """Attempts that fail, and a session. Behind it the world is healed, and the client must recover."""
    failures = flat(draw(st.lists(failed_attempts(), max_size=2)))
    session = draw(sessions(most_commands, bad_network))
    client = {"endpoint": "dev-1", "bootstrap": {"uri": BOOTSTRAP_URI, "holdoff": draw(st.sampled_from(["1s", "30s"]))}}
    return Scenario(title="A bootstrap that nobody wrote", client=client, steps=[*failures, *session])
