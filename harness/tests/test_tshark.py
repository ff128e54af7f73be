# SPDX-License-Identifier: Apache-2.0
"""tshark, which shares no code with us, reads the captures of the whole suite: of every packet it must see the type,
code, Message ID, token, options and TLV that our own decoder sees, and nothing malformed but what a script breaks on
purpose, which carries a comment."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from harness.pytest_bootjack import api, plugin

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tshark_judge as judge  # noqa: E402  (beside this file, which is no package)

TOPICS = sorted({path.parent.name for path in (api.ROOT / "scenarios").glob("*/*.yaml") if plugin.has_key(path, "steps")} -
                {"canary", "out-of-scope"})

pytestmark = [pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (ci/setup)")
              for program in ("tshark", "mergecap", "editcap")]


@pytest.fixture(scope="module", params=TOPICS)
def topic(request, tmp_path_factory):
    """The scenarios of a topic, and one capture of all of their packets."""
    folder = tmp_path_factory.mktemp("captures")
    results = api.run_scenarios([api.ROOT / "scenarios" / request.param], "linked", events=True,
                                options=["--pcap", folder, "-j", str(os.cpu_count())])
    results = [result for result in results if result.capture]
    merged = folder / "all.pcapng"
    subprocess.run(["mergecap", "-a", "-w", merged, *(result.capture for result in results)], check=True, timeout=120)
    return results, merged


def frames(capture, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", capture, "-T", "fields", "-e", "frame.number", "-e", "frame.comment",
                           *arguments], capture_output=True, text=True, timeout=300, check=True)
    return done.stdout.splitlines()


def undisclosed(capture):
    """The capture without the secrets that tshark would decrypt records with: what is compared are datagrams."""
    copy = f"{capture}.undisclosed"
    subprocess.run(["editcap", "--discard-all-secrets", capture, copy], check=True, timeout=120)
    return copy


def test_tshark_sees_what_we_see(topic):
    """In one capture of all, but for connections and DTLS: in the next run their ports are used for something else."""
    results, merged = topic
    ports = {e["to"].rsplit(":", 1)[1] for r in results for e in r.of_kind("sent")
             if e["actor"] == 1 and "encrypted" not in e["coap"]}
    apart = any(result.of_kind("stream-open", "plain-sent") for result in results)
    # A run in which nothing is sent (a client that does not start) leaves an empty capture, of which editcap makes no file.
    said = [result for result in results if result.of_kind("sent", "stream-open")]
    for capture in map(undisclosed, [result.capture for result in said] if apart else [merged]):
        assert judge.complaints(capture, api.find_bootjack(), [f"--port={port}" for port in sorted(ports)]) == [], capture


def test_every_datagram_is_there(topic):
    results, merged = topic
    sent = sum(len(result.of_kind("sent")) for result in results)
    streams = sum(len(result.of_kind("stream-sent")) for result in results)
    assert len(frames(merged, "-Y", "udp && !icmp && !icmpv6")) == sent
    assert sent + streams > 0


def test_our_client_sends_nothing_broken(topic):
    results, merged = topic
    assert [row for row in frames(merged) if "not well-formed" in row] == []
    assert [e["seq"] for r in results for e in r.of_kind("sent", "plain-sent", "stream-sent")
            if e["actor"] == 1 and e["coap"].get("fault")] == []


def test_what_is_broken_on_purpose_says_so(topic):
    results, merged = topic
    broken = sum(bool(event["coap"].get("fault")) for result in results for event in result.of_kind("sent"))
    assert sum(bool(re.search("broken on purpose", row)) for row in frames(merged)) >= broken
