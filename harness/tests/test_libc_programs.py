# SPDX-License-Identifier: Apache-2.0
"""The preload library under programs with many threads: CPython's asyncio and executors, Node's thread pool and workers,
the C++ library's locks. None of them knows of the simulated world. Each is run twice: the same seed, the same bytes."""
import pathlib
import shutil
import subprocess

import pytest

from harness.pytest_bootjack import api

PROGRAMS = pathlib.Path(__file__).parent / "libc" / "programs"


@pytest.fixture
def twice(tmp_path, capsys):
    def run(command, seed=1):
        results, logs = [], []
        for turn in ("first", "second"):
            log = tmp_path / f"{turn}.jsonl"
            results.append(api.run_scenario(PROGRAMS / "one-request.yaml", client=f"exec:{command}", seed=seed,
                                            options=["--no-canary", "--log", log]))
            logs.append(log.read_bytes())
        first, second = results
        with capsys.disabled():
            print(f"\n{command}: {first.virtual_us / 1e6:.3f} s virtual, {first.real_us / 1e3:.1f} ms real", end="")
        assert first.verdict == "pass", f"{first.reason}\n{first.errors}\n{first.output}"
        lines = [line["text"] for line in first.output]
        assert sorted(lines) == sorted(line["text"] for line in second.output)  # two pipes: their order is the parent's
        assert logs[0] == logs[1]
        return lines

    return run


def test_python(twice):
    lines = twice(f"/usr/bin/python3 {PROGRAMS / 'threads.py'}")
    assert "hello from the script" in lines and "no children" in lines
    assert any("fork() refused" in line for line in lines)


def test_python_with_another_seed_draws_other_numbers(twice):
    def random(seed):
        return [line for line in twice(f"/usr/bin/python3 {PROGRAMS / 'threads.py'}", seed) if "random" in line]

    assert random(1) == random(1) != random(2)


def test_python_and_sqlite_on_the_simulated_disk(twice):
    lines = twice(f"/usr/bin/python3 {PROGRAMS / 'disk.py'}")
    assert lines == [
        "state {'life': 2}",
        "walk [('/bootjack-disk', ['a'], ['state.json']), ('/bootjack-disk/a', ['b'], []), "
        "('/bootjack-disk/a/b', [], ['f'])]",
        "copy 25600 True",
        "left ['copy', 'state.json'] []",
        "rename Invalid cross-device link",
        "database (500, 'coap://server-99.example') ('ok',)",
        "files ['copy', 'data.db', 'state.json']",
        "hello from the script",
    ]


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_node(twice):
    lines = twice(f"node {PROGRAMS / 'node.js'}")
    assert "5.8 hello from the script 192.0.2.10" in lines
    assert "0.0 dns ENOTFOUND" in lines and "0.0 tcp ECONNREFUSED" in lines
    assert "2.0 worker" in lines
    assert [line for line in lines if "tick" in line] == [f"{second}.0 tick" for second in range(1, 6)]


@pytest.fixture(scope="module", params=[["g++"], ["clang++", "-fsanitize=address,undefined"]], ids=["g++", "asan"])
def compiled(request, tmp_path_factory):
    """threads.cc, plain and with sanitizers (whose own functions then stand before ours)."""
    compiler = request.param
    if not shutil.which(compiler[0]):
        pytest.skip(f"{compiler[0]} is not installed")
    program = tmp_path_factory.mktemp("threads") / "threads"
    subprocess.run([*compiler, "-std=c++20", "-O1", "-pthread", PROGRAMS / "threads.cc", "-o", program], check=True)
    return program


def test_cpp(twice, compiled):
    lines = twice(str(compiled))
    assert lines[0] == "hello from the script"
    assert len(lines) == 2
