# SPDX-License-Identifier: Apache-2.0
"""bootjack-fuzz: exhaustive search finds planted defects and nothing in the client as it is; triage makes what was found small,
groups it, and writes scenarios; wrong input is said to be wrong."""
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest
import yaml

from harness.pytest_bootjack import api
from harness.teeth import planted, tree

ALPHABET = api.ROOT / "fuzz/search/bootstrap.yaml"


def tool(*arguments, program=None, plant=""):
    program = program or pathlib.Path(api.find_bootjack()).parent / "bootjack-fuzz"
    return subprocess.run([program, *map(str, arguments)], cwd=api.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600, check=False, env={**os.environ, tree.SWITCH: plant})


@pytest.fixture(scope="session")
def broken_tool():
    """The program with all planted defects in it, each behind its switch."""
    defects = planted.read()
    by_file = planted.plant(tree.ROOT, defects, 1)
    folder = tree.build(by_file, [defect.name for defect in defects], ("bootjack-fuzz",))
    return folder / "bootjack-fuzz"


def test_our_client_comes_through_every_sequence_of_three():
    done = tool("search", ALPHABET, "--depth", 3, "--jobs", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    played, total, kinds = re.search(r"^(\d+) of (\d+) sequences .* (\d+) kinds of findings$", done.stdout, re.M).groups()
    cases = len(re.findall(r"^    event:", ALPHABET.read_text(), re.M))
    assert int(played) == int(total) == cases + cases**2 + cases**3 and kinds == "0"


@pytest.mark.parametrize("plant, rule, events", [
    ("finish-is-not-committed", "RECOVERY", "write-security"), ("finish-is-awaited-for-ever", "RECOVERY", "write-server"),
    ("no-hold-off-after-a-restart", "BS-HOLDOFF", "finish, power-cut")])
def test_planted_defects_are_found_and_told_in_few_steps(broken_tool, tmp_path, plant, rule, events):
    found, out = tmp_path / "found", tmp_path / "out"
    done = tool("search", ALPHABET, "--depth", 2, "--findings", found, program=broken_tool, plant=plant)
    assert done.returncode == 1 and re.search(rf"^{rule}: \d+ sequences, the first: {events}$", done.stdout, re.M), done.stdout
    done = tool("triage", "--out", out, "--tries", 300, found, program=broken_tool, plant=plant)
    assert done.returncode == 1, done.stdout + done.stderr
    left, before = map(int, re.search(rf"^{rule}: 1 findings; (\d+) steps are left of (\d+)", done.stdout, re.M).groups())
    assert left <= before
    assert f"# >>> {rule} (MUST) is broken, at " in (out / f"{rule}.yaml").read_text() and (out / f"{rule}.pcapng").stat().st_size > 0
    case = xml.etree.ElementTree.parse(out / "triage.xml").getroot().find("testcase")
    assert case.get("name") == rule and case.find("failure").get("message")
    assert tool("replay", out / f"{rule}.yaml", program=broken_tool, plant=plant).returncode == 1
    sifted = tool("sift", out / f"{rule}.yaml", api.ROOT / "scenarios/good/default-port.yaml", program=broken_tool, plant=plant)
    assert sifted.returncode == 1 and f"{out / f'{rule}.yaml'}\n" in sifted.stdout
    mended = tool("triage", "--out", tmp_path / "again", out / f"{rule}.yaml", program=broken_tool)
    assert mended.returncode == 0 and "shows nothing any more" in mended.stdout


def test_a_finding_inside_dtls_repeats_though_its_records_do_not(broken_tool, tmp_path):
    """GnuTLS' random numbers are other ones in each session."""
    scenario = tmp_path / "secure.yaml"
    scenario.write_text("""title: A session that ends without Finish, inside DTLS
client:
  endpoint: dev-1
  bootstrap: {uri: "coaps://bs.example", security: psk, identity: !text dev-1, key: 000102030405060708090a0b0c0d0e0f, holdoff: 10s}
servers: {bs: {transport: dtls}, mgmt: {}}
steps:
  - request: {to: bs, path: /bs}
  - respond: 2.04
  - delete: {path: /, expect: 2.02}
  - advance: 1h
""")
    done = tool("triage", "--out", tmp_path / "out", "--tries", 20, scenario, program=broken_tool, plant="finish-is-awaited-for-ever")
    assert done.returncode == 1 and re.search(r"1 groups of findings, 0 do not repeat, 0 show nothing", done.stdout), done.stdout


def test_it_says_what_is_wrong_with_an_alphabet(tmp_path):
    (tmp_path / "none.yaml").write_text("title: No cases\nsteps: [note: search]\n")
    done = tool("search", tmp_path / "none.yaml")
    assert done.returncode == 2 and "an alphabet has from 1 to 64 cases" in done.stderr
    (tmp_path / "unmarked.yaml").write_text("title: Unmarked\ncases: {one: {event: [advance: 1s]}}\nsteps: ['${event}']\n")
    done = tool("search", tmp_path / "unmarked.yaml")
    assert done.returncode == 2 and "no step behind the step `note: search`" in done.stderr


@pytest.mark.parametrize("arguments, told", [
    (["search"], "one alphabet is to be named"), (["search", "--depth", "99", "x"], "--depth takes a number from 1 to 16"),
    (["search", "--jobs", "none", "x"], "--jobs takes"), (["triage"], "at least one file"), (["triage", "--tries", "-1", "x"], "--tries"),
    (["replay"], "one file"), (["sift"], "at least one file"), (["dance"], "there is no command 'dance'"), ([], "usage")])
def test_wrong_usage(arguments, told):
    done = tool(*arguments)
    assert done.returncode == 64 and told in done.stderr


def test_its_commands_are_those_of_bootjack_too(tmp_path):
    bootjack = pathlib.Path(api.find_bootjack())
    done = tool("triage", "--help", program=bootjack)
    assert done.returncode == 0 and done.stdout == tool("triage", "--help").stdout
    alone = tmp_path / "bootjack"
    shutil.copy(bootjack, alone)
    done = tool("triage", tmp_path, program=alone)
    assert done.returncode == 2 and "triage is a command of bootjack-fuzz, which cannot be run beside this program" in done.stderr


# --- unmodified programs ------------------------------------------------------------------------------------------

SEEDS = api.ROOT / "corpus/scenario_bytes"


def foreign(*arguments, **more):
    return tool("foreign", *arguments, **more)


def build(folder, *compiler):
    program = folder / "fragile"
    subprocess.run([*compiler, "-O1", "-o", program, pathlib.Path(__file__).parent / "programs/fragile.c"], check=True)
    return program


def fuzz_fragile(tmp_path, program):
    begin = tmp_path / "begin.yaml"
    begin.write_text("title: It has asked\nclient: {bootstrap: {uri: 'coap://bs.example'}}\nsteps: [request: {to: bs}]\n")
    return foreign("--begin", begin, "--seeds", SEEDS, "--runs", 20000, "--seconds", 200, "--limit", 300, "--findings", tmp_path / "found",
                   "--", program, "{bs_host}", "{bs_port}")


def test_a_crash_and_a_hang_of_a_program_that_knows_nothing_of_this(tmp_path):
    done = fuzz_fragile(tmp_path, build(tmp_path, "gcc"))
    assert done.returncode == 1, done.stdout + done.stderr
    found = {path.name for path in (tmp_path / "found").iterdir()}
    assert {"crash-signal-11", "crash-signal-11.yaml", "crash-signal-11.pcapng", "hang", "hang.yaml"} <= found
    assert "does not repeat" not in done.stdout and " 0 of edges" in done.stdout
    written = (tmp_path / "found/crash-signal-11.yaml").read_text()
    assert "bs -> client: ACK 2.05" in written and "title: \"\"" not in written


def test_a_crash_and_a_hang_are_made_small(tmp_path):
    """Without the fork server, by ci/triage; what is left says what was seen, and shows it again."""
    program = build(tmp_path, "gcc", "-rdynamic", "-fno-inline")
    assert fuzz_fragile(tmp_path, program).returncode == 1
    done = subprocess.run([api.ROOT / "ci/triage", tmp_path / "found", "--out", tmp_path / "small"], capture_output=True, text=True,
                          check=False, env={**os.environ, "BOOTJACK": str(api.find_bootjack())})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "does not repeat" not in done.stdout and re.search(r"^foreign: signal 11 at ", done.stdout, re.M), done.stdout
    crash, hang = ((tmp_path / f"small/foreign-{name}.yaml").read_text() for name in ("crash-signal-11", "hang"))
    assert "signal 11" in crash and "bootjack: #0" in crash and "bs -> client" in crash
    assert "spins" in hang or "blocks" in hang
    for text, said in ((crash, "signal 11"), (hang, "s of real time")):
        assert len(yaml.safe_load(text)["steps"]) <= 3, text
        (tmp_path / "again.yaml").write_text(text)
        options = ["--no-canary", "--limit", "4"]
        again = api.run_scenario(tmp_path / "again.yaml", tmp_path / "found/client.yaml", options=options)
        assert said in again.reason, again.reason


@pytest.mark.skipif(not shutil.which("afl-clang-fast"), reason="AFL++ is not installed")
def test_a_program_that_afl_compiled_says_which_edges_it_took(tmp_path):
    done = fuzz_fragile(tmp_path, build(tmp_path, "afl-clang-fast"))
    assert done.returncode == 1 and int(re.search(r"(\d+) of edges", done.stdout)[1]) >= 5, done.stdout + done.stderr


def places_in_the_map(tmp_path, program, *moves):
    """Those that afl-showmap sees, with how often each was reached."""
    told, out = tmp_path / "moves", tmp_path / "map"
    told.write_text("".join(f"bootstrap: {move}: a test\n" for move in moves))
    with told.open() as text:
        subprocess.run(["afl-showmap", "-q", "-r", "-o", out, "--", program], stdin=text, check=True, stdout=subprocess.DEVNULL)
    return dict(line.split(":") for line in out.read_text().split())


@pytest.mark.skipif(not shutil.which("afl-clang-fast"), reason="AFL++ is not installed")
def test_a_new_state_is_a_new_place_in_the_map_of_afl(tmp_path):
    """Only main() is compiled by AFL++'s compiler: all runs go the same way through it."""
    server, program = api.ROOT / "fake_bootstrap_server", tmp_path / "states"
    folders = [f"-I{folder}" for folder in (server, api.ROOT / "fuzz", api.ROOT / "harness")]
    sources = [api.ROOT / "fuzz/session_states.c", *(server / name for name in ("log/eventlog.c", "wire/coap.c", "base/text.c", "base/addr.c"))]
    for number, source in enumerate(sources):
        subprocess.run(["clang", "-O1", "-c", "-D_GNU_SOURCE", *folders, source, "-o", tmp_path / f"{number}.o"], check=True)
    subprocess.run(["afl-clang-fast", "-O1", *folders, pathlib.Path(__file__).parent / "programs/states.c",
                    *(tmp_path / f"{number}.o" for number in range(len(sources))), "-o", program], check=True,
                   env={**os.environ, "AFL_QUIET": "1"})
    first = places_in_the_map(tmp_path, program, "idle -> holding off", "idle -> holding off")
    again = places_in_the_map(tmp_path, program, "idle -> holding off", "idle -> holding off")
    other = places_in_the_map(tmp_path, program, "idle -> holding off", "holding off -> requesting")
    assert first == again
    assert set(other) > set(first) and len(other) == len(first) + 1


def test_debians_coap_client(tmp_path):
    done = foreign("--seeds", SEEDS, "--runs", 2000, "--findings", tmp_path, "--", "coap-client-notls", "-B", "30", "-m", "get", "{bs_uri}/x")
    sessions, kept, pairs = map(int, re.search(r"^(\d+) sessions .*; (\d+) inputs kept, (\d+) pairs", done.stdout, re.M).groups())
    assert done.returncode in (0, 1) and sessions == 2000 and kept > 10 and pairs > 40, done.stdout + done.stderr
    assert "crash" not in done.stdout and "hang" not in done.stdout and "does not repeat" not in done.stdout


def test_the_same_seed_plays_the_same_sessions():
    runs = [foreign("--seeds", SEEDS, "--runs", 600, "--seed", 7, "--", "coap-client-notls", "-m", "get", "{bs_uri}/x").stdout for _ in range(2)]
    told = [re.sub(r" in [0-9.]+ s, \d+ a second", "", run) for run in runs]
    assert told[0] == told[1] and "600 sessions" in told[0]


@pytest.mark.parametrize("command, told", [
    (["no-such-program", "{bs_uri}"], "was not found"),
    (["/bin/busybox", "sleep", "{bs_uri}"], "static"),
    (["/usr/bin/python3", "-c", "import threading, time; threading.Thread(target=time.sleep, args=(9,)).start(); time.sleep(1)", "{bs_uri}"],
     "the client has threads"),
    (["/bin/true", "{bs_uri}"], "it ends before")])
def test_what_cannot_be_forked_is_said(command, told):
    done = foreign("--runs", 1, "--", *command)
    assert done.returncode == 2 and told in done.stderr, done.stderr
