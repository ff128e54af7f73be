# SPDX-License-Identifier: Apache-2.0
"""What fuzzing found, put in order: inputs that break the same property, or crash at the same place, are one finding; of each
the shortest input is kept, made smaller; those of session targets become scenarios (bootjack-fuzz triage)."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from . import targets


@dataclasses.dataclass
class Group:
    target: str
    key: str  # the broken property or rule, or what the sanitizer says and where
    count: int
    kept: pathlib.Path  # the smallest input, or the scenario
    text: str  # what a person reads of it


def target_of(path):
    """The target whose input a file is: its name begins with it."""
    fitting = [name for name in targets.all_targets() if path.name.startswith(f"{name}-")]
    return max(fitting, key=len) if fitting else None


def replay(name, path):
    done = subprocess.run([targets.program(name), "-timeout=10", "-rss_limit_mb=4096", str(path)], capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, check=False, cwd=targets.ROOT)
    return done.returncode, done.stderr


def key_of(log):
    """What findings are told apart by: the property, else the error and the function of our own that was in it."""
    broken = re.findall(r"^BROKEN: ([^\n:]*)", log, re.M)
    if broken:
        return broken[-1]
    error = re.findall(r"SUMMARY: ([^\n]*)", log)
    frames = re.findall(r"^\s+#\d+ 0x[0-9a-f]+ in (\S+) \S*/(?:client|harness|fake_bootstrap_server|fuzz)/", log, re.M)
    return f"{error[-1].split(' in ')[0] if error else 'it ends'}{' in ' + frames[0] if frames else ''}"


def make_smaller(name, path, into, key, seconds=20):
    """libFuzzer's own minimiser, believed only where the smaller input shows the same."""
    into.parent.mkdir(parents=True, exist_ok=True)
    small = into.with_suffix(".smaller")
    subprocess.run([targets.program(name), "-minimize_crash=1", f"-max_total_time={seconds}", f"-exact_artifact_path={small}",
                    str(path)], capture_output=True, stdin=subprocess.DEVNULL, check=False, cwd=into.parent)
    best = path
    if small.exists() and small.stat().st_size < path.stat().st_size and key_of(replay(name, small)[1]) == key:
        best = small
    shutil.copyfile(best, into)
    small.unlink(missing_ok=True)
    return into


def word(text):
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-")[:80]


def triage_codec(name, paths, out):
    groups = {}
    for path in paths:
        first, log = replay(name, path)
        again, second = replay(name, path)
        if first == 0 and again == 0:
            print(f"{path}: shows nothing any more")
            continue
        if first != again or key_of(log) != key_of(second):
            groups.setdefault("does not repeat: a defect of the harness", []).append((path, log))
            continue
        groups.setdefault(key_of(log), []).append((path, log))
    for key, members in sorted(groups.items()):
        path, log = min(members, key=lambda member: (member[0].stat().st_size, member[0].name))
        kept = make_smaller(name, path, out / f"{name}-{word(key)}", key)
        yield Group(name, key, len(members), kept, log[-4000:])


def session_tool():
    """The triage of sessions, with sanitizers where it was built so."""
    for preset in ("asan", "fuzz", "release"):
        tool = targets.ROOT / "build" / preset / "bin" / "bootjack-fuzz"
        if tool.exists():
            return tool
    return None


def triage_sessions(paths, out, tries=2000):
    tool = session_tool()
    if not tool:
        raise OSError("bootjack-fuzz is not built: ci/build release")
    out.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(tool), "triage", "--out", str(out), "--tries", str(tries), *map(str, paths)], capture_output=True,
                          text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    print(done.stdout + done.stderr, end="")
    if done.returncode not in (0, 1):
        raise OSError(f"{tool}: exit status {done.returncode}")
    for key, count, kept in re.findall(r"^(\S+): (\d+) findings; .*: (\S+\.yaml)$", done.stdout, re.M):
        yield Group("sessions", key, int(count), pathlib.Path(kept), pathlib.Path(kept).read_text(errors="replace"))
    for path in re.findall(r"^(.*): does not repeat", done.stdout, re.M):
        yield Group("sessions", "does not repeat: a defect of the harness", 1, pathlib.Path(path), "")


def whose(folder):
    """The client and the seed that `bootjack-fuzz foreign` wrote beside what it found; None: it did not."""
    path = folder / "client"
    words = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return (words[0], words[1]) if len(words) == 2 and words[1].isdigit() else None


def triage_foreign(paths, client, seed, out, tries=1000):
    """What was found in somebody else's program: the scenario without a fork, with as few packets as it takes, and in it the
    signal, the report or the frames, and the last packets. Broken rules are kept as they are."""
    program = targets.ROOT / "build/release/bin/bootjack" if "BOOTJACK" not in os.environ else pathlib.Path(os.environ["BOOTJACK"])
    out.mkdir(parents=True, exist_ok=True)
    groups = {}
    for path in paths:
        small = out / f"foreign-{path.name}"
        if not re.match(r"crash-|hang", path.name):
            shutil.copyfile(path, small)
            groups[path.stem] = Group("foreign", path.stem, 1, small, small.read_text(errors="replace"))
            continue
        done = subprocess.run([str(program), "minimise", str(path), "--client", client, "--seed", seed, "--tries", str(tries), "-o", str(small)],
                              capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 1):
            raise OSError(f"{path}: {done.stderr.strip()}")
        told = re.search(r"^(.*); \d+ steps are left of", done.stderr, re.M)
        key = told[1] if told else f"{path.stem}: does not repeat without the fork"
        kept = small if told else path
        if key not in groups or kept.stat().st_size < groups[key].kept.stat().st_size:
            count = groups[key].count if key in groups else 0
            groups[key] = Group("foreign", key, count, kept, kept.read_text(errors="replace"))
        groups[key].count += 1
    return list(groups.values())


def triage(folder, out):
    """All findings in a folder, by group. Writes what is kept to `out`."""
    client = whose(folder)
    if client:
        scenarios = sorted(path for path in folder.glob("*.yaml") if path.name != "client.yaml")
        return triage_foreign(scenarios, *client, out)
    kinds = targets.folders_of_targets()
    by_target = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        by_target.setdefault(target_of(path), []).append(path)
    groups, sessions = [], []
    for name, paths in by_target.items():
        if name is None:
            sessions += [path for path in paths if path.suffix == ".yaml"]
        elif kinds[name] == "session":
            sessions += paths
        else:
            groups += triage_codec(name, paths, out)
    return groups + (list(triage_sessions(sessions, out)) if sessions else [])
