# SPDX-License-Identifier: Apache-2.0
"""ci/fuzz --teeth: how many of the planted defects (harness/teeth/planted.yaml) does fuzz_bootstrap_session find, each in so
many seconds on one core: from no inputs at all, and from the seeds of the repository without those that find the defect by
themselves. A copy of the sources with all defects in it is built for fuzzing; an environment variable switches one on."""
import dataclasses
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from harness.teeth import planted, tree

from . import program_seeds

BUILD = tree.ROOT / "build" / "teeth" / "fuzz"
TARGET = BUILD / "fuzz" / "fuzz_bootstrap_session"


@dataclasses.dataclass
class Found:
    seconds: "float | None"  # None: it was not found
    rule: str = ""
    removed: int = 0  # seeds that find it by themselves


def for_clang(defects):
    """Without those that are written with functions inside functions, which only GCC takes."""
    inner = re.compile(r"\b(int|void) \w+\([^()]*\) \{")
    return [defect for defect in defects if not any(inner.search(edit.statement or "") for edit in defect.edits)]


def build(defects):
    tree.COPY.mkdir(parents=True, exist_ok=True)
    tree.copy(planted.plant(tree.ROOT, defects, 1), [defect.name for defect in defects])
    tree.must("cmake", "-S", str(tree.COPY), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
              "-DCMAKE_C_COMPILER=clang", "-DBOOTJACK_SANITIZE=ON", "-DBOOTJACK_FUZZ=ON", "-DBUILD_TESTING=OFF",
              f"-DCMAKE_C_FLAGS=-include {tree.COPY}/client/planted.h")
    tree.must("ninja", "-C", str(BUILD), "fuzz/fuzz_bootstrap_session")


def run(name, *words):
    """Its log, and whether it ended with a finding."""
    environment = dict(os.environ, **{tree.SWITCH: name})
    done = subprocess.run([TARGET, "-detect_leaks=0", "-timeout=20", "-rss_limit_mb=4096", *words], env=environment, text=True,
                          errors="replace", capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stderr, done.returncode != 0


def what(log):
    for line in log.splitlines():
        if line.startswith("BROKEN: "):
            return line.removeprefix("BROKEN: ").split(":")[0]
    return next((line.split(":", 2)[-1].strip() for line in log.splitlines() if line.startswith("SUMMARY: ")), "?")


def without_killers(name, folder, scratch):
    """Takes the seeds out that find the defect by themselves; how many they were."""
    removed, left = 0, sorted(folder.iterdir())
    while left:
        log, found = run(name, "-runs=1", f"-artifact_prefix={scratch}/", *map(str, left))
        if not found:
            return removed
        last = [line.removeprefix("Running: ") for line in log.splitlines() if line.startswith("Running: ")][-1]
        left = left[left.index(pathlib.Path(last)) + 1:]
        pathlib.Path(last).unlink()
        removed += 1
    return removed


def hunt(name, seeds, seconds):
    with tempfile.TemporaryDirectory() as scratch:
        grown, given = pathlib.Path(scratch, "grown"), pathlib.Path(scratch, "seeds")
        grown.mkdir()
        removed, folders = 0, [str(grown)]
        if seeds:
            shutil.copytree(seeds, given)
            removed = without_killers(name, given, scratch)
            folders.append(str(given))
        begin = time.monotonic()
        log, found = run(name, "-max_len=2048", f"-max_total_time={seconds}", "-seed=1", f"-artifact_prefix={scratch}/", *folders)
        took = time.monotonic() - begin
        return Found(took if found else None, what(log) if found else "", removed)


def judge(title, defects, seeds, seconds):
    results = []
    for defect in defects:
        one = hunt(defect.name, seeds, seconds)
        results.append(one)
        outcome = f"found in {one.seconds:.1f} s, by {one.rule}" if one.seconds is not None else "not found"
        print(f"  {defect.name} ({defect.rule}): {outcome}; {one.removed} seeds removed", flush=True)
    times = [one.seconds for one in results if one.seconds is not None]
    median = f", in {statistics.median(times):.1f} s in the median" if times else ""
    print(f"{title}: {len(times)} of {len(results)} found in {seconds} s each{median}; "
          f"{sum(one.removed for one in results)} seeds removed", flush=True)


def main(options):
    everything = planted.read()
    defects = for_clang(everything)
    print(f"{len(defects)} planted defects; {len(everything) - len(defects)} are left out, which clang does not take")
    build(defects)
    log, found = run("", "-max_len=2048", f"-max_total_time={options.seconds}", "-seed=1", f"-artifact_prefix={BUILD}/",
                     str(program_seeds.make("bootstrap_session")))
    if found:
        print(f"without any defect there is a finding already: {what(log)}; mend it first")
        return 1
    chosen = random.Random(options.seed or 1).sample(defects, min(options.sample, len(defects))) if options.sample else defects
    judge("from an empty corpus", chosen, None, options.seconds)
    judge("from the seeds of the repository", chosen, program_seeds.make("bootstrap_session"), options.seconds)
    return 0
