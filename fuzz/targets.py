# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets: which there are, how they are built and called, how fast they ought to be."""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness.pytest_bootjack import folders

from . import program_seeds

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
RELEASE = ROOT / "build" / "release"
GROWN = ROOT / "build" / "fuzz-corpus"
# Bytes of an input; for the others enough for lengths of two bytes.
LONGEST = {"scenario_text": 4096, "scenario_bytes": 2048, "scenario_print": 1024, "capture": 4096, "conversation": 4096, "attributes": 128, "link": 160,
           "uri": 280, "blockwise": 64,
           "bootstrap_session": 1024, "secure_session": 1024, "datagrams": 1024}
# GnuTLS and mbedTLS keep what they made once, which libFuzzer takes for a leak; sessions count the client's memory themselves.
EXTRA = {"secure_session": ("-detect_leaks=0",)}
# libFuzzer's alarm reads the clock, which is the session's own virtual one where it strikes inside a session: it would take a
# day of hold-off for ten seconds of work. Sessions have limits of their own, of events and of steps of the client.
PATIENCE = {"codec": 10, "session": 10**8}
# Executions a second with AddressSanitizer and UndefinedBehaviorSanitizer on one core, by folder; and of some targets.
FLOORS = {"codec": 100000, "session": 5000}
FLOOR_OF = {"secure_session": 1000}


def folders_of_targets():
    """{target: its folder in fuzz/}, canaries apart."""
    return {path.stem: path.parent.name for folder in FLOORS for path in sorted((ROOT / "fuzz" / folder).glob("*.c"))}


def all_targets():
    return sorted(folders_of_targets())


def must_exist(parser, names):
    """Ends the program with a message when one does not."""
    unknown = set(names) - set(all_targets())
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(all_targets())}")


def floor(name):
    return FLOOR_OF.get(name, FLOORS[folders_of_targets()[name]])


def ninja(folder, names):
    """`folder` is that of the preset of its name. One build at a time."""
    with folders.alone(folder):
        if not (folder / "build.ninja").exists():
            subprocess.run(["cmake", "--preset", folder.name], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", str(folder), *names], check=True, stdout=subprocess.DEVNULL)


def build(targets, folder=BUILD):
    """`folder` is that of the preset: fuzz for libFuzzer, afl for AFL++. With targets that take programs comes what compiles their seeds:
    an older one may not know what stands in scenarios/."""
    if set(targets) & set(program_seeds.TARGETS) and not os.environ.get("BOOTJACK"):
        ninja(RELEASE, ["bootjack"])
    ninja(folder, [f"fuzz/fuzz_{name}" for name in targets])


def longest(name):
    return LONGEST.get(name, 300)


def program(name):
    return str(BUILD / "fuzz" / f"fuzz_{name}")


def given(name):
    """The folders of inputs that belong to the repository; of targets that take programs, what is made of them."""
    if name in program_seeds.TARGETS:
        return [program_seeds.make(name)]
    return [folder for folder in (ROOT / "corpus" / name, ROOT / "corpus" / "regressions" / name) if folder.is_dir()]


def command(name, *more, grown=GROWN):
    """A run of libFuzzer: new inputs go to the folder `grown`/NAME, which is made."""
    dictionary = ROOT / "fuzz" / "dictionaries" / f"{name}.dict"
    (grown / name).mkdir(parents=True, exist_ok=True)
    # Weighing inputs by entropy costs more than it gains: half of the time of sessions, which touch thousands of features.
    more = ("-entropic=0", *EXTRA.get(name, ()), *more)
    return [program(name), f"-max_len={longest(name)}", f"-timeout={PATIENCE[folders_of_targets().get(name, 'codec')]}", "-rss_limit_mb=4096",
            *([f"-dict={dictionary}"] if dictionary.exists() else []), *more, str(grown / name), *map(str, given(name))]


def merge(name, grown, into, *more):
    """Puts into `into`/NAME the few inputs that cover what all of them cover: those there are, those in `grown`/NAME, and those in
    the folders `more`, where they are. Programs
    as text, beside those that stand there; what a scenario covers already stands in scenarios/. One line about it."""
    kept = into / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as few:
        words = [program(name), "-set_cover_merge=1", few, str(grown / name),
                 *(str(folder) for folder in [*more, *given(name)] if pathlib.Path(folder).is_dir())]
        subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        inputs = sorted(pathlib.Path(few).iterdir())
        if name in program_seeds.TARGETS:
            program_seeds.keep_new(name, inputs, kept)
        else:
            for old in kept.iterdir():
                old.unlink()
            for path in inputs:
                path.rename(kept / path.name)
    return f"{name:<18} {len(list(kept.iterdir()))} inputs in {kept}"


def canary(folder):
    """Whether the engine finds what is there to be found. Its finding is none of ours."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [program("canary"), "-max_total_time=30", "-max_len=16", f"-artifact_prefix={folder}/canary-"]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
    for kept in folder.glob("canary-*"):
        kept.unlink()
    return "the canary sings" in done.stderr


def told(pattern, text, otherwise="?"):
    """What the last match of the pattern holds."""
    found = re.findall(pattern, text)
    return found[-1] if found else otherwise


@dataclasses.dataclass
class Speed:
    executions: int
    cpu_seconds: float

    @property
    def per_second(self):
        return self.executions / self.cpu_seconds if self.cpu_seconds else 0


def measured(words, more=None):
    """What a run writes, and the seconds of processor time that it takes; (None, 0) when it ends with a fault. What the oracles
    find ends no run here. `more`: variables for its environment."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                          env={**os.environ, "FUZZ_GO_ON": "1", **(more or {})}) as child:
        log = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return (log, used.ru_utime + used.ru_stime) if child.returncode == 0 else (None, 0)


def without_folders(words, given, listed):
    """The same run of libFuzzer, which keeps what it finds in memory: to write hundreds of new inputs a second to a folder, as
    a run from few inputs does at first, takes up to a third of the time. `listed`: a file, which is made."""
    listed.write_text(",".join(str(path) for folder in given for path in sorted(pathlib.Path(folder).iterdir())))
    return [word for word in words if word.startswith("-") or word == words[0]] + [f"-seed_inputs=@{listed}"]


def speed(name, seconds, grown):
    """Executions for each second of processor time, the target alone, from the inputs of the repository; the loading of
    those counts, too. None when the run ended with a fault."""
    words = command(name, f"-max_total_time={seconds}", "-seed=1", "-print_final_stats=1", f"-artifact_prefix={grown}/", grown=grown)
    log, took = measured(without_folders(words, given(name), grown / "inputs"))
    return log and Speed(int(told(r"number_of_executed_units:\s*(\d+)", log, "0")), took)


def speed_of_one(name, runs):
    """The same of one input again and again, which is a whole bootstrap and a registration; None where inputs are no programs.
    Without the engine, which would read the file for each run (fuzz/measure.c)."""
    if name not in program_seeds.TARGETS:
        return None
    plain = pathlib.Path(program_seeds.make(name)) / "scenarios_good_first-bootstrap"
    log, _ = measured([program(name), str(plain)], {"FUZZ_MEASURE": str(runs)})
    return log and Speed(runs, float(told(r"times in ([\d.]+) s", log, "0")))


def options(name):
    """The arguments of `command`, as ClusterFuzz wants them: a file of options beside the target."""
    words = [f"-max_len={longest(name)}", f"-timeout={PATIENCE[folders_of_targets()[name]]}", *EXTRA.get(name, ())]
    return "[libfuzzer]\n" + "".join(word[1:].replace("=", " = ") + "\n" for word in words)


def main():
    parser = argparse.ArgumentParser(prog="fuzz.targets", description="What ClusterFuzz wants of a target: prints its options, and "
                                     "writes its seeds.")
    parser.add_argument("target")
    parser.add_argument("--seeds", type=pathlib.Path, required=True, metavar="FOLDER", help="where the seeds go")
    asked = parser.parse_args()
    must_exist(parser, [asked.target])
    for number, path in enumerate(path for folder in given(asked.target) for path in sorted(pathlib.Path(folder).iterdir())):
        shutil.copyfile(path, asked.seeds / f"{number:05}")
    print(options(asked.target), end="")


if __name__ == "__main__":
    main()
