# SPDX-License-Identifier: Apache-2.0
"""bootjack-fleet as a program: what it prints, and its exit statuses. What a fleet does is harness/fleet/tests."""
import pathlib
import re
import subprocess

import pytest

from harness.pytest_bootjack import api
from harness.report import fleet as page


PROGRAM = pathlib.Path(api.find_bootjack()).parent / "bootjack-fleet"


def fleet(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_what_it_prints():
    done = fleet("--clients", "7", "--servers", "3", "--observations", "2", "--minutes", "2", "--curve", "30", "--plot")
    assert done.returncode == 0, done.stderr
    assert "fleet: 7 clients, 3 servers, 2 observations by each; 2 virtual minutes" in done.stdout
    assert "complete: 7 clients, all of them after " in done.stdout
    assert "7 bootstraps, 21 Registers, 0 Updates, 42 observations, 0 notifications, 0 refused" in done.stdout
    curve = re.findall(r"^(\d+) (\d+)$", done.stdout, re.M)
    assert [int(second) for second, _ in curve] == list(range(30))
    assert sum(int(requests) for _, requests in curve) == 7
    assert re.search(r"memory: [1-9]\d+ bytes of malloc\(\) a client", done.stdout)


def test_memory_is_told_when_the_fleet_has_all_descriptors():
    program = pathlib.Path(api.find_bootjack()).parent / "bootjack-fleet"
    done = subprocess.run(["bash", "-c", f"ulimit -n 64; exec {program} --clients 100 --minutes 1"], capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d*\.\d MB of the process at most", done.stdout)


def test_memory_of_who_started_it_is_not_counted():
    ballast = bytearray(b"x" * 200_000_000)
    done = fleet("--clients", "5", "--minutes", "1")
    assert float(re.search(r"([\d.]+) MB of the process at most", done.stdout)[1]) < len(ballast) / 2e6


def test_the_same_seed_prints_the_same():
    def seen(seed):
        return re.search(r"seen: .*", fleet("--clients", "5", "--minutes", "11", "--seed", seed, "--spread", "60").stdout)[0]

    assert seen("3") == seen("3")


def test_a_fleet_that_had_no_time_is_incomplete():
    done = fleet("--clients", "3", "--minutes", "1", "--holdoff", "600")
    assert done.returncode == 1 and "complete: 0 clients\n" in done.stdout


def test_a_fleet_that_one_host_has_no_ports_for():
    done = fleet("--clients", "20000", "--servers", "3")
    assert done.returncode == 2
    assert done.stderr == "bootjack-fleet: clients of 3 servers share the ports of one host, which are enough for 16128 of them\n"


def test_jitter_spreads_them():
    """With 10 s of hold-off, and half of that at random, not all come in one second."""
    def busiest(jitter):
        done = fleet("--clients", "40", "--servers", "1", "--observations", "0", "--minutes", "1", "--jitter", jitter)
        return int(re.search(r"curve: (\d+) Bootstrap-Requests a second at most", done.stdout)[1])

    assert busiest("0") == 40 > 2 * busiest("50")


def test_the_page_of_a_fleet(tmp_path, capsys):
    path = tmp_path / "fleet.html"
    assert page.main(["--clients", "30", "--holdoff", "20", "--jitter", "50", "--seconds", "40", "-o", str(path)]) == 0
    text = path.read_text()
    assert text.count("<svg") == 4 and text.count("<tr>") == 5
    rows = re.findall(r"<tr><td>(.*?)</td><td>(\d+)</td><td>(\d+)</td><td>(\d+)</td>", text)
    assert [row[0] for row in rows] == ["hold-off 20 s, jitter 50 %", "hold-off 20 s, no jitter",
                                        "no hold-off (1 s at least), jitter 50 %", "no hold-off, no jitter"]
    assert int(rows[0][1]) < 15 and [row[1] for row in rows[1::2]] == ["30", "30"] and {row[3] for row in rows} == {"30"}
    # each curve is drawn as high as the plot, once at least, and all of it within the picture
    for chart in re.findall(r"<svg.*?</svg>", text, re.S):
        heights = [float(y) for y in re.findall(r"V([\d.]+)H", chart)]
        assert min(heights) == page.TOP and max(heights) <= page.HEIGHT - page.BOTTOM
    assert "requests in the busiest second" in capsys.readouterr().out


def test_a_fleet_that_cannot_be_drawn(capsys):
    assert page.main(["--clients", "0"]) == 2
    assert "--clients takes a whole number" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, text", [
    (["--clients", "0"], '--clients takes a whole number from 1 to 20000, found "0"'),
    (["--servers", "5"], '--servers takes a whole number from 1 to 4, found "5"'),
    (["--observations", "many"], '--observations takes a whole number from 0 to 10, found "many"'),
    (["--seed", "-1"], '--seed takes a whole number'),
    (["more"], 'unexpected "more" (see --help)'),
    (["--nonsense"], "unrecognized option"),
])
def test_wrong_usage(arguments, text):
    done = fleet(*arguments)
    assert done.returncode == 64 and text in done.stderr and not done.stdout


def test_a_disk_that_is_full():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([PROGRAM, "--clients", "2", "--minutes", "1"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert done.returncode == 2 and "standard output: No space left on device" in done.stderr


def test_help_names_every_option():
    done = fleet("--help")
    assert done.returncode == 0
    for option in ("clients", "servers", "observations", "minutes", "spread", "holdoff", "lifetime", "pmax", "curve", "seed",
                   "plot"):
        assert f"--{option}" in done.stdout
