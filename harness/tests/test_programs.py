# SPDX-License-Identifier: Apache-2.0
"""The simulated world under programs that none of us wrote: Debian's coap-client in three flavours, CPython, curl."""
import os
import pathlib
import shutil

import pytest

from harness.pytest_bootjack import api

HERE = pathlib.Path(__file__).parent / "programs"
FLAVOURS = ["coap-client-notls", "coap-client-gnutls", "coap-client-openssl"]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a scenario of programs/ against a command, prints the virtual and the real time."""
    for name in list(os.environ):
        if name.lower() in PROXIES:
            monkeypatch.delenv(name)

    def go(name, command, seed=1):
        if not shutil.which(command.split()[0]):
            pytest.skip(f"{command.split()[0]} is not installed")
        result = api.run_scenario(HERE / f"{name}.yaml", client=f"exec:{command}", seed=seed, options=["--no-canary"])
        with capsys.disabled():
            print(f"\n{command}: {result.virtual_us / 1e6:.3f} s virtual, {result.real_us / 1e3:.1f} ms real", end="")
        return result

    return go


def passed(result):
    assert result.verdict == "pass", f"{result.reason}\n{result.errors}\n{result.output}"
    return [line["text"] for line in result.output]


def sent(result, actor=1):
    """Times, in seconds, of the client's datagrams."""
    return [float(event["t"]) for event in result.events if event["kind"] == "sent" and event["actor"] == actor]


@pytest.mark.parametrize("client", FLAVOURS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_retransmissions_to_a_silent_server(client, seed, run):
    """RFC 7252 section 4.2: five times in all, the first pause between ACK_TIMEOUT and 1.5 times that, each next one
    twice as long; the last one too before the client gives up."""
    result = run("silent-server", f"{client} -B 200 -m get coap://bs.example/silent", seed)
    passed(result)
    times = sent(result)
    assert len(times) == 5 and times[0] < 0.01
    pauses = [later - earlier for earlier, later in zip(times, times[1:])]
    assert 2 <= pauses[0] <= 3
    for shorter, longer in zip(pauses, pauses[1:]):
        assert longer == pytest.approx(2 * shorter, abs=0.01)  # libcoap counts milliseconds
    assert result.virtual_us / 1e6 - times[4] == pytest.approx(2 * pauses[3], abs=0.1)


@pytest.mark.parametrize("client", FLAVOURS)
def test_an_answer_is_received(client, run):
    result = run("answer", f"{client} -m get coap://bs.example/hello")
    assert "hello from the script" in passed(result)
    assert len(sent(result)) == 3


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_separate_answer_is_received(client, run):
    result = run("separate-answer", f"{client} -m get coap://bs.example/hello")
    assert "hello from the script" in passed(result)
    assert 60 <= result.virtual_us / 1e6 < 61


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_name_is_resolved(client, run):
    result = run("name", f"{client} -m get coap://peer.example/hello")
    assert "hello from the script" in passed(result)
    assert sent(result)[0] >= 3


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_name_that_is_nowhere(client, run):
    result = run("unknown-name", f"{client} -m get coap://nowhere.example/hello")
    assert "failed to resolve address" in passed(result)


@pytest.mark.parametrize("client", FLAVOURS)
def test_a_refused_port(client, run):
    result = run("closed-port", f"{client} -B 5 -m get coap://bs.example/hello")
    assert any("Connection refused" in line for line in passed(result))
    assert [event for event in result.events if event["kind"] == "icmp"]


@pytest.mark.parametrize("client", FLAVOURS)
def test_over_tcp(client, run):
    result = run("tcp", f"{client} -m get coap+tcp://bs.example/hello")
    assert "hello from the script" in passed(result)


@pytest.mark.parametrize("selector", ["SelectSelector", "PollSelector", "EpollSelector", "DefaultSelector"])
def test_python(selector, run):
    result = run("python", f"/usr/bin/python3 {HERE / 'client.py'} {selector}")
    assert passed(result) == [f"{selector} hello from the script"]
    assert 5 <= result.virtual_us / 1e6 < 5.1


def test_curl_resolves_two_names_in_two_threads(run):
    """The look-ups take 3 s and 5 s at the same time; then one port is closed, and the other silent for 20 s."""
    result = run("two-names", "curl -sS -Z --connect-timeout 20 http://one.example/ http://two.example/")
    lines = passed(result)
    assert any("one.example port 80" in line and "3" in line for line in lines), lines
    assert any("timed out" in line.lower() or "timeout" in line.lower() for line in lines), lines
    assert result.virtual_us / 1e6 == pytest.approx(20, abs=1)
