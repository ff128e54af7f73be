# SPDX-License-Identifier: Apache-2.0
"""Seeds of the targets whose inputs are programs: every scenario, and what stands as text in corpus/NAME and
corpus/regressions/NAME, compiled into build/fuzz-seeds/NAME. They are byte forms there, and not called *.yaml any more. Made
anew when one of them has changed."""
import json
import os
import pathlib
import subprocess
import sys

from harness.pytest_bootjack import folders

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "fuzz-seeds"
TARGETS = ("bootstrap_session", "secure_session")
LONGEST = 1024  # bytes of a program; longer ones make slow sessions
# What handshakes cost is the secure target's affair; a day of attempts takes a thousand sessions' time.
SLOW = ("/holdoff/a-day", "/security/", "/handshake/")


def program():
    """The program that compiles: the one that BOOTJACK names, of the release build, or of any other."""
    if os.environ.get("BOOTJACK"):
        return pathlib.Path(os.environ["BOOTJACK"])
    for build in ("release", "asan", "debug"):
        path = ROOT / "build" / build / "bin" / "bootjack"
        if path.exists():
            return path
    raise FileNotFoundError("no bootjack in build/: run ci/build release first")


def compiled(name, *options):
    """The byte form, or None when the file has mistakes."""
    done = subprocess.run([program(), "program", name, "--compile", *options], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def scenarios():
    done = subprocess.run([program(), "check", "--list", "scenarios"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line)["scenario"] for line in done.stdout.splitlines()]


def texts(name):
    return [path for folder in (ROOT / "corpus" / name, ROOT / "corpus" / "regressions" / name) if folder.is_dir()
            for path in sorted(folder.iterdir())]


def newest(paths):
    return max((path.stat().st_mtime for path in paths), default=0)


def fits(name, scenario, data):
    plain = name == "secure_session" or (b"coaps" not in data and not any(part in scenario for part in SLOW))
    return len(data) <= LONGEST and plain and "/canary/" not in scenario


def make(name):
    """The folder of seeds."""
    with folders.alone(FOLDER):
        return made(name)


def made(name):
    folder, stamp = FOLDER / name, FOLDER / f"{name}.stamp"
    given = texts(name)
    if stamp.exists() and stamp.stat().st_mtime > newest([*ROOT.glob("scenarios/**/*.yaml"), *given, program(), pathlib.Path(__file__)]):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for scenario in scenarios():
        data = compiled(scenario)
        if data and fits(name, f"/{scenario}", data):
            (folder / scenario.removesuffix(".yaml").replace("/", "_")).write_bytes(data)
    for path in given:
        data = compiled(path, "--unchecked") if path.suffix == ".yaml" else path.read_bytes()
        if data:
            (folder / path.name.removesuffix(".yaml")).write_bytes(data)
    stamp.touch()
    return folder


def text_of(path):
    """A program as text, marked as such; None where it does not come back the same."""
    done = subprocess.run([program(), "program", path, "--print", "--bytes"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def keep_new(name, paths, into):
    """Writes the byte forms that are none of the seeds to the folder `into`, as text."""
    known = {path.read_bytes() for path in make(name).iterdir()}
    for path in paths:
        text = None if path.read_bytes() in known else text_of(path)
        if text:
            (into / f"{path.name}.yaml").write_text(text)


if __name__ == "__main__":
    for target in sys.argv[1:] or TARGETS:
        print(f"{len(list(make(target).iterdir()))} seeds in {make(target)}")
