# SPDX-License-Identifier: Apache-2.0
"""Clients that crash and hang: what is said of them, and `bootjack minimise`, which makes the scenario small."""
import subprocess

import pytest
import yaml

from harness.pytest_bootjack import api

SCENARIO = """\
title: A session in which one Write of many is too much for the client
client: {bootstrap: {uri: "coap://bs.example"}}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 2.04
  - {discover: /, expect: [2.04, 2.05]}
  - {write: /0/1, tlv: {0: "coap://mgmt.example", 1: false, 2: 3, 10: 101}, expect: 2.04}
  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U}, expect: 2.04}
  - {write: /0/1/3, hex: 00112233445566778899aabbccddeeff, format: opaque, expect: 2.04}
  - {delete: /1, expect: 2.02}
  - finish: {expect: 2.04}
"""
HOW = {"crash": "signal 11", "abort": "signal 6", "spin": "spins", "block": "blocks for real"}


@pytest.fixture(scope="module")
def fragile(tmp_path_factory):
    """Builds the client with these flags."""

    def build(*flags):
        program = tmp_path_factory.mktemp("fragile") / "fragile"
        source = api.ROOT / "harness/tests/programs/breaks.c"
        subprocess.run(["cc", "-O0", "-g", *flags, "-o", program, source], check=True, capture_output=True)
        return program

    return build


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "session.yaml"
    path.write_text(SCENARIO)
    return path


def minimise(scenario, program, how, *options):
    command = ["minimise", scenario, "--client", f"exec:{program} {{bs_host}} {{bs_port}} {how}", *options]
    return api.call(*command, timeout=600)


@pytest.mark.parametrize("how", ["crash", "abort"])
def test_a_crash_is_told_with_where_it_happened(how, fragile, scenario):
    result = api.run_scenario(scenario, f"exec:{fragile('-rdynamic')} {{bs_host}} {{bs_port}} {how}",
                              options=["--no-canary"])
    assert result.verdict == "fail"
    assert f"the client crashed: {HOW[how]}" in result.reason
    assert "write /0/1/3" in result.reason  # the step during which it was
    said = [line["text"] for line in result.output]
    assert "now it breaks" in said
    frames = [line for line in said if line.startswith("bootjack: #")]
    assert any("break_down" in frame or "crash_here" in frame for frame in frames), said
    assert any(" main" in frame for frame in frames), said


@pytest.mark.parametrize("how", ["crash", "abort"])
def test_a_crash_made_small(how, fragile, scenario, tmp_path):
    out = tmp_path / "small.yaml"
    program = fragile("-rdynamic")
    done = minimise(scenario, program, how, "-o", out)
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert f"# the client crashed: {HOW[how]}" in text
    assert "bootjack: #0" in text and "CON PUT" in text
    steps = yaml.safe_load(text)["steps"]
    assert len(steps) <= 3, text  # its request, which tells where it is, the answer, and the Write
    again = api.run_scenario(out, f"exec:{program} {{bs_host}} {{bs_port}} {how}", options=["--no-canary"])
    assert HOW[how] in again.reason


def test_a_sanitizers_report_made_small(fragile, scenario, tmp_path):
    out = tmp_path / "small.yaml"
    done = minimise(scenario, fragile("-fsanitize=address", "-static-libasan"), "overflow", "-o", out, "--tries", "120")
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert "heap-buffer-overflow" in text and "read_behind" in text
    assert len(yaml.safe_load(text)["steps"]) <= 3, text


@pytest.mark.parametrize("how", ["spin", "block"])
def test_a_hang_made_small(how, fragile, scenario, tmp_path):
    out = tmp_path / "small.yaml"
    done = minimise(scenario, fragile(), how, "-o", out, "--limit", "1", "--tries", "25")
    assert done.returncode == 0, done.stderr
    assert HOW[how] in out.read_text()
    assert len(yaml.safe_load(out.read_text())["steps"]) <= 4


def test_nothing_to_make_small(fragile, scenario):
    done = minimise(scenario, fragile(), "never")
    assert done.returncode == 1
    assert "no crash and no hang" in done.stderr


def test_a_place_that_cannot_be_written_is_told_before_the_search(fragile, scenario, tmp_path):
    done = minimise(scenario, fragile(), "crash", "-o", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"bootjack: {tmp_path}: Is a directory\n"


@pytest.mark.parametrize("arguments, status", [([], 64), (["a.yaml"], 64), (["a.yaml", "--client", "linked"], 2),
                                               (["--help"], 0), (["a.yaml", "--client", "linked", "--tries", "0"], 64)])
def test_usage(arguments, status, tmp_path):
    done = api.call("minimise", *arguments, cwd=tmp_path)
    assert done.returncode == status
