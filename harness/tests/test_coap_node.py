# SPDX-License-Identifier: Apache-2.0
"""An independent client, npm's coap-node, so that our servers and our client do not merely agree with each other.

Five scenarios: the good case, hold-off, two refusals, a Finish that never comes. What the profile says of it was read
from captures. Skipped where Node, npm or the registry are not at hand; then `ci/peers` says which."""
import pathlib
import subprocess

import pytest

from harness.pytest_bootjack import api

EXPECTED = {
    "interop/good": "pass",
    "interop/holdoff": "pass",
    "interop/object-level-write": "warn",
    "interop/mismatch": "xfail",
    "interop/no-finish": "xfail",
}


@pytest.fixture(scope="module", autouse=True)
def peer():
    done = subprocess.run([api.ROOT / "ci/peers"], capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        pytest.skip(done.stdout.strip())


@pytest.mark.parametrize("name", EXPECTED)
def test_what_coap_node_does(name, monkeypatch):
    monkeypatch.chdir(api.ROOT)
    result = api.run_scenario(pathlib.Path("scenarios") / f"{name}.yaml", "coap-node")
    assert result.verdict == EXPECTED[name], result.reason
