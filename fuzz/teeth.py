# SPDX-License-Identifier: Apache-2.0
"""ci/fuzz --teeth: how many of the planted defects (harness/teeth/planted.yaml) does session fuzzing find, each in so many
seconds of processor time: from no inputs at all, and from the shipped ones without those that show the defect by themselves.
A copy of the sources with all defects in it is built for fuzzing, without sanitizers, for these defects break rules and not
memory; an environment variable switches one on. What is known of a defect stands in build/teeth/fuzz/results.jsonl, from which
an interrupted run goes on."""
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

import yaml

from harness.teeth import planted, tree

from . import program_seeds, targets

BUILD = tree.ROOT / "build" / "teeth" / "fuzz"
SIFT = tree.BUILD / "bin" / "bootjack-fuzz"
RESULTS = BUILD / "results.jsonl"
OUT_OF_REACH = pathlib.Path(__file__).with_name("teeth.yaml")
ORIGINS = {"empty": "from an empty corpus", "shipped": "from the shipped corpus"}
# Which targets share a defect's time, and how.
SHARES = {"SEC": {"secure_session": 0.5, "bootstrap_session": 0.5}, "": {"bootstrap_session": 0.75, "datagrams": 0.25}}
TARGETS = ("bootstrap_session", "secure_session", "datagrams")


@dataclasses.dataclass
class Result:
    name: str
    rule: str  # that the defect breaks
    origin: str  # of ORIGINS
    budget: float  # seconds of processor time
    commit: str
    removed: int = 0  # seeds that show it by themselves
    seconds: "float | None" = None  # None: it was not found
    target: str = ""
    by: str = ""  # the rule that showed it


def for_clang(defects):
    """Without those that are written with functions inside functions, which only GCC takes."""
    inner = re.compile(r"\b(int|void) \w+\([^()]*\) \{")
    return [defect for defect in defects if not any(inner.search(edit.statement or "") for edit in defect.edits)]


def judged_rules():
    """Those that oracles judge whatever is played."""
    return set(re.findall(r'X\(\w+, "([A-Z0-9-]{3,})"', (tree.ROOT / "harness" / "oracle" / "rules.h").read_text()))


def out_of_reach(defects):
    """{name: why}, of the defects that no session in the alphabet of programs can show."""
    rows = yaml.safe_load(OUT_OF_REACH.read_text()) or []
    known = {defect.name for defect in defects}
    reasons = {name: row["reason"] for row in rows for name in row["names"]}
    strange = sorted(set(reasons) - known)
    if strange:
        raise planted.Mistake(f"{OUT_OF_REACH.name}: no defect is called {', '.join(strange)}")
    return reasons


def build(defects):
    by_file, names = planted.plant(tree.ROOT, defects, 1), [defect.name for defect in defects]
    tree.compile_into(BUILD, by_file, names, [f"fuzz/fuzz_{name}" for name in TARGETS], "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                      "-DCMAKE_C_COMPILER=clang", "-DBOOTJACK_FUZZ=ON")
    tree.build(by_file, names, ["bootjack-fuzz"])


def commit():
    return tree.must("git", "-C", str(tree.ROOT), "rev-parse", "--short", "HEAD").strip()


# --- one defect ---------------------------------------------------------------------------------------------------


def environment(name):
    return dict(os.environ, **{tree.SWITCH: name})


def used(pid):
    """Seconds of processor time of a process that runs."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(target, name, seconds, *words):
    """One run of libFuzzer: its log, whether it ended with a finding, and the processor time that it took. The machine's load
    does not count: it is ended when its own time is over."""
    command = [str(BUILD / "fuzz" / f"fuzz_{target}"), "-detect_leaks=0", f"-timeout={10**8}", "-rss_limit_mb=4096", "-entropic=0",
               f"-max_len={targets.longest(target)}", *words]
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        with subprocess.Popen(command, env=environment(name), stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL) as child:
            while True:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    break
                if used(child.pid) >= seconds:
                    # Not child.kill(), which awaits a child that has ended meanwhile. libFuzzer's own handler of SIGINT
                    # allocates, and may wait for itself for ever.
                    os.kill(child.pid, signal.SIGKILL)
                time.sleep(0.05)
            child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        text = log.read()
    return text, "Test unit written to" in text, usage.ru_utime + usage.ru_stime


def what(log):
    broken = re.findall(r"^BROKEN: ([^:\n(]*)", log, re.M)
    return broken[-1].strip() if broken else targets.told(r"SUMMARY: ([^\n]*)", log)


def shipped(target):
    """The folder with the inputs of the repository, as the tool tells whose they are. Made once: they do not change meanwhile."""
    folder = BUILD / "shipped" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark = "" if target == "bootstrap_session" else f"{target}-"
    for source in map(pathlib.Path, targets.given(target)):
        for path in source.iterdir():
            shutil.copyfile(path, folder / (mark + path.name))


def without_killers(name, target, folder):
    """Copies the shipped inputs of a target to the folder, but for those that show the defect by themselves; how many they were."""
    shutil.copytree(BUILD / "shipped" / target, folder, dirs_exist_ok=True)
    done = subprocess.run([SIFT, "sift", folder], env=environment(name), text=True, errors="replace", capture_output=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise tree.Failed(f"{SIFT} sift {folder}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    killers = done.stdout.splitlines()
    for path in killers:
        pathlib.Path(path).unlink()
    return len(killers)


def shows_without(target, path):
    """Whether the client as it is shows a finding with that input, too: then it is none of the defect's."""
    done = subprocess.run([str(BUILD / "fuzz" / f"fuzz_{target}"), "-detect_leaks=0", path], env=environment(""), check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode != 0


def search(target, name, seconds, scratch, *folders):
    """Runs until something is found that is the defect's: its log, or None, and the processor time."""
    spent, seed = 0.0, 0
    while spent < seconds:
        seed += 1
        log, found, took = run(target, name, seconds - spent, f"-seed={seed}", f"-artifact_prefix={scratch}/", *folders)
        spent += took
        if not found:
            return None, spent
        if not shows_without(target, targets.told(r"Test unit written to (\S+)", log)):
            return log, spent
    return None, spent


def hunt(defect, origin, budget, version):
    result = Result(defect.name, defect.rule, origin, budget, version)
    shares = next(shares for begin, shares in SHARES.items() if defect.rule.startswith(begin))
    spent = 0.0
    for target, share in shares.items():
        with tempfile.TemporaryDirectory() as scratch:
            grown, seeds = pathlib.Path(scratch, "grown"), pathlib.Path(scratch, "seeds")
            grown.mkdir()
            seeds.mkdir()
            result.removed += without_killers(defect.name, target, seeds) if origin == "shipped" else 0
            log, took = search(target, defect.name, budget * share, scratch, str(grown), str(seeds))
        spent += took
        if log:
            result.seconds, result.target, result.by = spent, target, what(log)
            return result
    return result


# --- all of them --------------------------------------------------------------------------------------------------


def known_results(fresh):
    """What earlier runs told, {(name, origin, budget): result}."""
    if fresh:
        RESULTS.unlink(missing_ok=True)
    known = {}
    for text in RESULTS.read_text().splitlines() if RESULTS.exists() else []:
        try:
            one = Result(**json.loads(text))
        except (ValueError, TypeError):
            continue  # a line that was cut by an interruption
        known[one.name, one.origin, one.budget] = one
    return known


def line(result):
    outcome = f"found in {result.seconds:.1f} s by {result.target}, {result.by}" if result.seconds is not None else "not found"
    return f"  {result.name} ({result.rule}): {outcome}; {result.removed} seeds removed"


def summary(origin, results, budget):
    found = [one for one in results if one.seconds is not None]
    times = [one.seconds for one in found]
    median = f", in {statistics.median(times):.1f} s in the median" if times else ""
    share = f" ({100 * len(found) / len(results):.0f} %)" if results else ""
    yield (f"{ORIGINS[origin]}: {len(found)} of {len(results)} found{share} in {budget:g} s of processor time each{median}; "
           f"{sum(one.removed for one in results)} seeds removed, of {sum(one.removed > 0 for one in results)} defects")
    judged = [one for one in results if one.rule in judged_rules()]
    yield (f"  {sum(one.seconds is not None for one in judged)} of the {len(judged)} that break a rule which oracles judge; "
           f"{len(found) - sum(one.seconds is not None for one in judged)} of the {len(results) - len(judged)} others")
    for title, counts in (("by target", collections.Counter(one.target for one in found)),
                          ("by rule", collections.Counter(one.by for one in found)),
                          ("not found", collections.Counter(one.rule for one in results if one.seconds is None))):
        if counts:
            yield f"  {title}: {', '.join(f'{name} {count}' for name, count in counts.most_common())}"


def judge(origin, defects, options, known):
    """Hunts what is not known yet, --jobs at once."""
    version, lock = commit(), threading.Lock()
    results, missing = [], []
    for defect in defects:
        one = known.get((defect.name, origin, options.seconds))
        (results if one else missing).append(one or defect)
    if results:
        others = sum(one.commit != version for one in results)
        print(f"{ORIGINS[origin]}: {len(results)} are known from an earlier run, {others} of them of another commit", flush=True)

    def one_defect(defect):
        result = hunt(defect, origin, options.seconds, version)
        with lock, RESULTS.open("a") as log:
            log.write(json.dumps(dataclasses.asdict(result)) + "\n")
            print(line(result), flush=True)
        return result

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results += pool.map(one_defect, missing)
    for text in summary(origin, results, options.seconds):
        print(text, flush=True)


def main(options):
    everything = planted.read()
    reasons = out_of_reach(everything)
    defects = for_clang(everything)
    print(f"{len(everything)} planted defects; {len(everything) - len(defects)} are left out, which clang does not take; "
          f"{len(reasons)} are out of reach of sessions:")
    for reason, count in collections.Counter(reasons.values()).items():
        print(f"  {count}: {reason}")
    build(defects)
    for target in TARGETS:
        shipped(target)
    known = known_results(options.fresh)
    chosen = defects
    if options.sample and options.sample < len(defects):
        chosen = random.Random(options.seed or 1).sample(defects, options.sample)
    chosen = [defect for defect in chosen if defect.name not in reasons]
    for origin in ORIGINS if options.origin == "both" else [options.origin]:
        judge(origin, chosen, options, known)
    return 0
