# SPDX-License-Identifier: Apache-2.0
"""The engines of a campaign, libFuzzer and AFL++: what is run for a turn of a target, and what it came to. They share what they
find: AFL++ takes libFuzzer's inputs over (-F), libFuzzer reads AFL++'s queue. A finding of either is a file TARGET-... in the
campaign's findings/."""
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from . import targets

RESTARTS = 50  # of libFuzzer in one turn: each ends with a finding
AFL_BUILD = targets.ROOT / "build" / "afl"
MUTATOR = targets.ROOT / "build" / "release" / "lib" / "bootjack-mutator.so"


@dataclasses.dataclass
class Outcome:
    """What a turn came to. Coverage is counted by each engine in its own way."""
    executions: int = 0
    coverage: int = 0
    features: int = 0
    inputs: int = 0
    transitions: "int | None" = None  # reached, of those that can be reached: session targets of libFuzzer only
    reachable: "int | None" = None
    findings: int = 0
    said: str = ""  # the end of what it wrote, which is not kept


def number(pattern, log):
    return int(targets.told(pattern, log, 0))


def queue(folder, name):
    """Where AFL++ keeps the inputs of a target."""
    return folder / "afl" / name / "main" / "queue"


class LibFuzzer:
    """With AddressSanitizer and UndefinedBehaviorSanitizer."""
    name = "libFuzzer"

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def missing():
        """Why it cannot be used here, or None."""
        return None if shutil.which("clang") else "clang is not installed (ci/setup)"

    @staticmethod
    def build(names):
        targets.build(names)

    def canary(self):
        return targets.canary(self.folder)

    def words(self, name, seconds):
        shared = queue(self.folder, name)
        words = targets.command(name, f"-max_total_time={max(1, int(seconds))}", "-print_final_stats=1",
                                f"-artifact_prefix={self.folder}/findings/{name}-", grown=self.folder / "corpus")
        return words + ([str(shared)] if shared.is_dir() else [])

    def turn(self, name, seconds, run):
        """`run(words, seconds)` runs a process and gives its log and its exit status, None when the campaign was interrupted."""
        end, out = time.monotonic() + seconds, Outcome()
        while out.findings < RESTARTS:
            left = max(1, end - time.monotonic())
            log, status = run(self.words(name, left), left)
            found = status not in (0, None) and "Test unit written to" in log
            reached = re.findall(r"transitions: (\d+) of (\d+)", log)
            # A run that a finding ends at once says nothing of the rest: what the one before it said still holds.
            out = Outcome(out.executions + number(r"number_of_executed_units:\s*(\d+)", log),
                          number(r"cov: (\d+)", log) or out.coverage, number(r"ft: (\d+)", log) or out.features,
                          number(r"corp: (\d+)", log) or out.inputs, int(reached[-1][0]) if reached else out.transitions,
                          int(reached[-1][1]) if reached else out.reachable, out.findings + found, log[-2000:])
            if not found or end - time.monotonic() < 1:
                break  # without a finding its time is over, it could not run, or was interrupted
        return out


class Afl:
    """AFL++, without sanitizers: several times as fast."""
    name = "AFL++"
    environment = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
                   "AFL_AUTORESUME": "1", "AFL_NO_CRASH_README": "1", "AFL_IMPORT_FIRST": "1"}

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def missing():
        return None if shutil.which("afl-fuzz") and shutil.which("afl-clang-fast") else "AFL++ is not installed (ci/setup)"

    @staticmethod
    def build(names):
        targets.build(names, AFL_BUILD)

    def begin(self, name):
        """The inputs to begin with, in one folder, as AFL++ wants them. Large ones slow it down, and libFuzzer has them anyway."""
        begin = self.folder / "afl" / name / "begin"
        begin.mkdir(parents=True, exist_ok=True)
        for number_, path in enumerate(path for folder in targets.given(name) for path in sorted(pathlib.Path(folder).iterdir())):
            if path.is_file() and path.stat().st_size <= targets.longest(name):
                shutil.copyfile(path, begin / f"{number_:05}")
        if not any(begin.iterdir()):
            (begin / "nothing").write_bytes(bytes(4))
        return begin

    def words(self, name, seconds):
        home = self.folder / "afl" / name
        dictionary = targets.ROOT / "fuzz" / "dictionaries" / f"{name}.dict"
        (self.folder / "corpus" / name).mkdir(parents=True, exist_ok=True)
        environment = dict(self.environment)
        if name in targets.program_seeds.TARGETS and MUTATOR.exists():
            environment["AFL_CUSTOM_MUTATOR_LIBRARY"] = str(MUTATOR)
        return ["env", *(f"{key}={value}" for key, value in environment.items()),
                "afl-fuzz", "-M", "main", "-i", str(self.begin(name)), "-o", str(home), "-F", str(self.folder / "corpus" / name),
                "-V", str(max(1, int(seconds))), "-G", str(targets.longest(name)), "-t", "20000",
                *(["-x", str(dictionary)] if dictionary.exists() else []), "--", str(AFL_BUILD / "fuzz" / f"fuzz_{name}")]

    def statistics(self, name):
        """What `fuzzer_stats` says: the numbers of all turns of the target together."""
        path = self.folder / "afl" / name / "main" / "fuzzer_stats"
        text = path.read_text(errors="replace") if path.exists() else ""
        return {key: int(value) for key, value in re.findall(r"^(\w+)\s*: (\d+)\s*$", text, re.M)}

    def keep(self, name):
        """Its crashes and hangs, among the findings: how many of them are new."""
        new = 0
        for kind, folder in (("crash", "crashes"), ("timeout", "hangs")):
            for path in sorted((self.folder / "afl" / name / "main" / folder).glob("id:*")):
                kept = self.folder / "findings" / f"{name}-{kind}-{hashlib.sha1(path.read_bytes()).hexdigest()}"
                if not kept.exists():
                    shutil.copyfile(path, kept)
                    new += 1
        return new

    def canary(self):
        canary = Afl(self.folder / "canary")
        shutil.rmtree(canary.folder, ignore_errors=True)
        (canary.folder / "findings").mkdir(parents=True)
        words = canary.words("canary", 30)
        words[1:1] = ["AFL_BENCH_UNTIL_CRASH=1"]
        subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        found = canary.keep("canary") > 0
        shutil.rmtree(canary.folder)
        return found

    def turn(self, name, seconds, run):
        before = self.statistics(name).get("execs_done", 0)
        log, _ = run(self.words(name, seconds), seconds)
        now = self.statistics(name)
        done = now.get("execs_done", 0)
        return Outcome(done - before if done >= before else done, now.get("edges_found", 0), 0, now.get("corpus_count", 0),
                       findings=self.keep(name), said=log[-2000:])


ENGINES = {engine.name: engine for engine in (LibFuzzer, Afl)}
