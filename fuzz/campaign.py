# SPDX-License-Identifier: Apache-2.0
"""ci/campaign: all fuzz targets in turn on all cores for hours. What it did stands in a log of one JSON object a line, from
which it goes on after an interruption, and of which the report is made."""
import argparse
import concurrent.futures
import dataclasses
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import campaign_report, findings, targets

FOLDER = targets.ROOT / "build" / "campaign"
WEIGHTS = {"codec": 1, "session": 6}  # sessions hold most of what there is to find
RESTARTS = 50  # of one target in one turn: each ends with a finding


@dataclasses.dataclass
class Turn:
    """One run of a target, a line of the log."""
    target: str
    begin: float  # Unix time
    seconds: float
    executions: int
    per_second: float
    coverage: int
    features: int
    inputs: int
    transitions: "int | None"  # reached, of those that can be reached: session targets only
    reachable: "int | None"
    findings: int


def number(pattern, log):
    return int(targets.told(pattern, log, 0))


class Campaign:
    def __init__(self, folder, names, slice_seconds):
        self.folder, self.names, self.slice = folder, names, slice_seconds
        self.log = folder / "log.jsonl"
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.children = {}
        (folder / "findings").mkdir(parents=True, exist_ok=True)
        self.turns = read_log(self.log)
        self.busy = set()

    def spent(self):
        """Seconds of all targets together."""
        return sum(turn.seconds for turn in self.turns)

    def next_target(self):
        """The one that had the least of its share."""
        share = {name: 0.0 for name in self.names}
        for turn in self.turns:
            if turn.target in share:
                share[turn.target] += turn.seconds / WEIGHTS[targets.folders_of_targets()[turn.target]]
        free = [name for name in self.names if name not in self.busy] or self.names
        return min(free, key=lambda name: (share[name], name))

    def run_once(self, name, seconds):
        """One process of libFuzzer: its log and its exit status."""
        words = targets.command(name, f"-max_total_time={max(1, int(seconds))}", "-print_final_stats=1",
                                f"-artifact_prefix={self.folder}/findings/{name}-", grown=self.folder / "corpus")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                              start_new_session=True) as child:
            with self.lock:
                self.children[child.pid] = child
            watchdog = threading.Timer(seconds + 300, child.kill)  # should a session never come back
            watchdog.start()
            log = child.stderr.read()
            watchdog.cancel()
            with self.lock:
                del self.children[child.pid]
        return log, child.returncode

    def turn(self, name, seconds):
        begin, clock, executions, found = time.time(), time.monotonic(), 0, 0
        log = ""
        while not self.stop.is_set() and found < RESTARTS and seconds - (time.monotonic() - clock) >= 1:
            log, status = self.run_once(name, seconds - (time.monotonic() - clock))
            executions += number(r"number_of_executed_units:\s*(\d+)", log)
            found += status != 0 and "Test unit written to" in log
            if status != 0 and "Test unit written to" not in log:
                break  # it could not run, or was interrupted
        took = time.monotonic() - clock
        reached = re.findall(r"transitions: (\d+) of (\d+)", log)
        return Turn(name, begin, took, executions, executions / took if took else 0, number(r"cov: (\d+)", log),
                    number(r"ft: (\d+)", log), number(r"corp: (\d+)", log), int(reached[-1][0]) if reached else None,
                    int(reached[-1][1]) if reached else None, found)

    def work(self, budget):
        """One worker: turn after turn until the campaign's time is used."""
        while not self.stop.is_set():
            with self.lock:
                left = budget - self.spent()
                if left < 1:
                    return
                name = self.next_target()
                self.busy.add(name)
            done = self.turn(name, min(self.slice * WEIGHTS[targets.folders_of_targets()[name]], left))
            with self.lock:
                self.busy.discard(name)
                self.turns.append(done)
                with self.log.open("a") as log:
                    log.write(json.dumps(dataclasses.asdict(done)) + "\n")
                print(line(done, self.spent(), budget), flush=True)

    def interrupt(self, *_):
        self.stop.set()
        with self.lock:
            for pid in self.children:
                os.kill(pid, signal.SIGINT)


def read_log(path):
    if not path.exists():
        return []
    rows = []
    for text in path.read_text().splitlines():
        try:
            rows.append(Turn(**json.loads(text)))
        except (ValueError, TypeError):
            continue  # a line that was cut when the machine went down
    return rows


def line(turn, spent, budget):
    reached = f", transitions {turn.transitions} of {turn.reachable}" if turn.transitions is not None else ""
    return (f"{datetime.datetime.now():%H:%M:%S} {100 * spent / budget:5.1f} %  {turn.target:<18} {turn.executions:>10} executions, "
            f"{turn.per_second:>8.0f} a second, coverage {turn.coverage}, features {turn.features}, inputs {turn.inputs}{reached}, "
            f"findings {turn.findings}")


def status(turns):
    """One line a target, from the log."""
    for name in sorted({turn.target for turn in turns}):
        own = [turn for turn in turns if turn.target == name]
        total = sum(turn.executions for turn in own)
        seconds = sum(turn.seconds for turn in own)
        last = own[-1]
        reached = f", transitions {last.transitions} of {last.reachable}" if last.transitions is not None else ""
        print(f"{name:<18} {seconds / 3600:6.2f} h {total:>12} executions, {total / seconds if seconds else 0:>8.0f} a second, coverage "
              f"{last.coverage}, features {last.features}, inputs {last.inputs}{reached}, findings {sum(t.findings for t in own)}")
    print(f"{sum(turn.seconds for turn in turns) / 3600:.2f} hours of targets, {sum(turn.executions for turn in turns)} executions")


def merge(campaign, name, into):
    try:
        return targets.merge(name, campaign.folder / "corpus", into)
    except subprocess.CalledProcessError:
        return f"{name:<18} the merge failed: {into / name} is as it was"


def parse():
    names = targets.all_targets()
    parser = argparse.ArgumentParser(prog="ci/campaign", description=__doc__ + " Exit status: 0 nothing was found, 1 findings, 2 it could "
                                     "not run.")
    parser.add_argument("--hours", type=float, default=8, help="of the machine, what earlier runs in the same folder took included (8)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at once (as many as there are cores)")
    parser.add_argument("--targets", nargs="+", metavar="TARGET", default=names, help=f"of: {', '.join(names)}")
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER, help="where log, inputs, findings and report are")
    parser.add_argument("--slice", type=float, default=60, help="seconds of a turn of a codec target; a session target has more")
    parser.add_argument("--fresh", action="store_true", help="begin anew, without what earlier runs left in the folder")
    parser.add_argument("--status", action="store_true", help="only print what the log says")
    parser.add_argument("--merge", action="store_true", help="at the end put the smallest inputs that cover as much into corpus/, "
                        "and not only into the folder's minimised/")
    options = parser.parse_args()
    targets.must_exist(parser, options.targets)
    if options.hours <= 0 or options.jobs < 1 or options.slice < 1:
        parser.error("--hours, --jobs and --slice are more than nothing")
    return options


def conclude(campaign, options):
    """Corpora, findings, report. True when nothing was found."""
    into = targets.ROOT / "corpus" if options.merge else campaign.folder / "minimised"
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for text in pool.map(lambda name: merge(campaign, name, into), options.targets):
            print(text, flush=True)
    groups = findings.triage(campaign.folder / "findings", campaign.folder / "triage")
    for group in groups:
        print(f"FINDING {group.target}: {group.key} ({group.count} inputs)\n  {group.kept}", flush=True)
    campaign_report.write(campaign.folder / "report.html", campaign.turns, groups)
    status(campaign.turns)
    print(f"report: {campaign.folder / 'report.html'}")
    return not groups


def main():
    options = parse()
    if options.fresh and not options.status:
        shutil.rmtree(options.folder, ignore_errors=True)
    if options.status:
        status(read_log(options.folder / "log.jsonl"))
        return 0
    try:
        targets.build([*options.targets, "canary"])
        if not targets.canary(options.folder):
            print("ci/campaign: the canary was not found in 30 s: this campaign sees nothing", file=sys.stderr)
            return 2
        campaign = Campaign(options.folder, options.targets, options.slice)
        for number_ in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number_, campaign.interrupt)
        workers = [threading.Thread(target=campaign.work, args=(options.hours * 3600 * options.jobs,)) for _ in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.5)  # so that signals are seen
        return 0 if conclude(campaign, options) else 1
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"ci/campaign: {problem}", file=sys.stderr)
        return 2
