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
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import campaign_report, engines, findings, targets

FOLDER = targets.ROOT / "build" / "campaign"
WEIGHTS = {"codec": 1, "session": 6}  # sessions hold most of what there is to find


@dataclasses.dataclass
class Turn(engines.Outcome):
    """One run of a target, a line of the log."""
    target: str = ""
    engine: str = engines.LibFuzzer.name
    begin: float = 0  # Unix time
    seconds: float = 0

    @property
    def per_second(self):
        return self.executions / self.seconds if self.seconds else 0

    @property
    def what(self):
        return (self.target, self.engine)


class Campaign:
    def __init__(self, folder, names, slice_seconds, used):
        """`used` are the engines."""
        self.folder, self.slice = folder, slice_seconds
        self.whats = [(name, engine.name) for name in names for engine in used]
        self.engines = {engine.name: engine for engine in used}
        self.log = folder / "log.jsonl"
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.children = {}
        (folder / "findings").mkdir(parents=True, exist_ok=True)
        self.turns = read_log(self.log)
        self.busy = set()
        self.failed = []  # what did nothing in its turn, and said why

    def spent(self):
        """Seconds of all targets together."""
        return sum(turn.seconds for turn in self.turns)

    def next(self):
        """The target and the engine that had the least of their share. No target is in the hands of two engines at once."""
        share = {what: 0.0 for what in self.whats}
        for turn in self.turns:
            if turn.what in share:
                share[turn.what] += turn.seconds / WEIGHTS[targets.folders_of_targets()[turn.target]]
        free = [what for what in self.whats if what[0] not in self.busy] or self.whats
        return min(free, key=lambda what: (share[what], what))

    def run(self, words, seconds):
        """A process: what it wrote to standard error, and its exit status; None when the campaign was interrupted."""
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, start_new_session=True) as child:
            with self.lock:
                self.children[child.pid] = child
                if self.stop.is_set():
                    os.kill(child.pid, signal.SIGINT)
            watchdog = threading.Timer(seconds + 300, child.kill)  # should a session never come back
            watchdog.start()
            log = child.stderr.read()
            watchdog.cancel()
            with self.lock:
                del self.children[child.pid]
        return log, None if self.stop.is_set() else child.returncode

    def turn(self, name, engine, seconds):
        begin, clock = time.time(), time.monotonic()
        out = self.engines[engine].turn(name, seconds, self.run)
        return Turn(**dataclasses.asdict(out), target=name, engine=engine, begin=begin, seconds=time.monotonic() - clock)

    def work(self, budget):
        """One worker: turn after turn until the campaign's time is used."""
        while not self.stop.is_set():
            with self.lock:
                left = budget - self.spent()
                if left < 1 or not self.whats:
                    return
                name, engine = self.next()
                self.busy.add(name)
            try:
                done = self.turn(name, engine, min(self.slice * WEIGHTS[targets.folders_of_targets()[name]], left))
            except (OSError, subprocess.CalledProcessError) as problem:
                done = Turn(target=name, engine=engine, said=str(problem))
            with self.lock:
                self.busy.discard(name)
                if not done.executions and not self.stop.is_set():
                    self.whats.remove(done.what)
                    self.failed.append(f"{name}, {engine}: it did nothing; it said: {done.said}")
                    continue
                self.turns.append(done)
                with self.log.open("a") as log:
                    log.write(json.dumps(dataclasses.asdict(dataclasses.replace(done, said=""))) + "\n")
                print(line(done, self.spent(), budget), flush=True)

    def interrupt(self, *_):
        """Asks engines to end; libFuzzer's own handler may hang, for it allocates: after a while they are killed."""
        self.stop.set()
        self.signal(signal.SIGINT)
        patience = threading.Timer(10, self.signal, [signal.SIGKILL])
        patience.daemon = True
        patience.start()

    def signal(self, number_):
        with self.lock:
            for pid in self.children:
                os.kill(pid, number_)


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


def reached(turn):
    return f", transitions {turn.transitions} of {turn.reachable}" if turn.transitions is not None else ""


def line(turn, spent, budget):
    return (f"{datetime.datetime.now():%H:%M:%S} {100 * spent / budget:5.1f} %  {turn.target:<18} {turn.engine:<9} "
            f"{turn.executions:>10} executions, {turn.per_second:>8.0f} a second, coverage {turn.coverage}, features {turn.features}, "
            f"inputs {turn.inputs}{reached(turn)}, findings {turn.findings}")


def status(turns):
    """One line for each target and engine, from the log."""
    for what in sorted({turn.what for turn in turns}):
        own = [turn for turn in turns if turn.what == what]
        total = sum(turn.executions for turn in own)
        seconds = sum(turn.seconds for turn in own)
        last = own[-1]
        print(f"{what[0]:<18} {what[1]:<9} {seconds / 3600:6.2f} h {total:>12} executions, {total / seconds if seconds else 0:>8.0f} a "
              f"second, coverage {last.coverage}, features {last.features}, inputs {last.inputs}{reached(last)}, "
              f"findings {sum(t.findings for t in own)}")
    print(f"{sum(turn.seconds for turn in turns) / 3600:.2f} hours of targets, {sum(turn.executions for turn in turns)} executions")


def merge(campaign, name, into):
    try:
        return targets.merge(name, campaign.folder / "corpus", into, engines.queue(campaign.folder, name))
    except subprocess.CalledProcessError:
        return f"{name:<18} the merge failed: {into / name} is as it was"


def parse():
    names = targets.all_targets()
    parser = argparse.ArgumentParser(prog=f"ci/{pathlib.Path(sys.argv[0]).name}", description=__doc__ + " Exit status: 0 nothing was found, 1 findings, 2 it could "
                                     "not run.")
    parser.add_argument("--hours", type=float, default=8, help="of the machine, what earlier runs in the same folder took included (8)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at once (as many as there are cores)")
    parser.add_argument("--targets", nargs="+", metavar="TARGET", default=names, help=f"of: {', '.join(names)}")
    parser.add_argument("--engines", nargs="+", choices=list(engines.ENGINES), metavar="ENGINE",
                        help=f"of: {', '.join(engines.ENGINES)} (those that are installed)")
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


def usable(options):
    """The engines, built, that see a planted fault. Exits with a message when one that was asked for cannot be used."""
    used = []
    for name in options.engines or engines.ENGINES:
        engine = engines.ENGINES[name](options.folder)
        lack = engine.missing()
        if lack and options.engines:
            raise OSError(f"{name}: {lack}")
        if lack:
            print(f"without {name}: {lack}", flush=True)
            continue
        engine.build([*options.targets, "canary"])
        if not engine.canary():
            raise OSError(f"{name}: the canary was not found in 30 s: this campaign sees nothing")
        used.append(engine)
    if not used:
        raise OSError("there is no engine: run ci/setup")
    return used


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
        options.folder.mkdir(parents=True, exist_ok=True)
        campaign = Campaign(options.folder, options.targets, options.slice, usable(options))
        for number_ in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number_, campaign.interrupt)
        workers = [threading.Thread(target=campaign.work, args=(options.hours * 3600 * options.jobs,)) for _ in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.5)  # so that signals are seen
        clean = conclude(campaign, options)
        for failed in campaign.failed:
            print(f"ci/campaign: {failed}", file=sys.stderr)
        return 2 if campaign.failed else 0 if clean else 1
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"ci/campaign: {problem}", file=sys.stderr)
        return 2
