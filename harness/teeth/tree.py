# SPDX-License-Identifier: Apache-2.0
"""The copy of the sources in which the defects stand, and its build: build/teeth/tree, build/teeth/build. The program
there is as good as any other until BOOTJACK_PLANTED names a defect."""
import os
import pathlib
import shutil
import subprocess

from harness.pytest_bootjack import folders

from . import insertions

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPY = ROOT / "build" / "teeth" / "tree"
BUILD = ROOT / "build" / "teeth" / "build"
PROGRAM = BUILD / "bin" / "bootjack"
SWITCH = "BOOTJACK_PLANTED"

HEADER = """/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BJ_PLANTED_H
#define BJ_PLANTED_H
extern int bj_planted_number;
static inline int bj_planted(int number) {
    return __builtin_expect(bj_planted_number == number, 0);
}
#endif
"""
SOURCE = """/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
static const char *const names[] = { %s };
int bj_planted_number;
__attribute__((constructor)) static void choose(void) {
    const char *name = getenv("%s");
    for (int i = 0; name && name[0] && i < (int) (sizeof names / sizeof *names); i++) {
        if (strcmp(name, names[i]) == 0) {
            bj_planted_number = i + 1;
            return;
        }
    }
    if (name && name[0]) {
        abort();
    }
}
"""


class Failed(Exception):
    """A command that must work did not."""


def run(*command, **more):
    return subprocess.run(command, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, **more)


def must(*command, **more):
    done = run(*command, **more)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


def write(target, data):
    """Unchanged files keep their times, so that builds stay incremental."""
    if target.is_file() and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def contents(name, by_file):
    data = (ROOT / name).read_bytes()
    if name in by_file:
        return insertions.apply(data, by_file[name])
    if name == "CMakeLists.txt":
        return data.replace(b"-Werror", b"-w")  # what a mutant does to types is no subject here
    return data


def copy(by_file, names):
    """The tracked and new files, with the defects in them; what is not wanted any more goes."""
    files = must("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard").split("\n")
    wanted = {COPY / "client/src/planted.c", COPY / "client/planted.h"}
    for name in filter(None, files):
        if (ROOT / name).is_file():
            wanted.add(COPY / name)
            write(COPY / name, contents(name, by_file))
            shutil.copymode(ROOT / name, COPY / name)
    quoted = ", ".join(f'"{name}"' for name in names)
    write(COPY / "client/src/planted.c", (SOURCE % (quoted, SWITCH)).encode())
    write(COPY / "client/planted.h", HEADER.encode())
    for old in [path for path in COPY.rglob("*") if path.is_file() and path not in wanted]:
        old.unlink()


def alone():
    """One process at a time changes the copy and builds from it: tests run side by side."""
    return folders.alone(COPY.parent)


def compile_into(folder, by_file, names, programs, *settings, jobs=None):
    """The copy with those defects, and programs of it. `names[i]` is the name of defect number i + 1."""
    with alone():
        COPY.mkdir(exist_ok=True)
        copy(by_file, names)
        must("cmake", "-S", str(COPY), "-B", str(folder), "-G", "Ninja", "-DBUILD_TESTING=OFF", *settings,
             f"-DCMAKE_C_FLAGS=-include {COPY}/client/planted.h")
        must("ninja", "-C", str(folder), "-j", str(jobs or os.cpu_count() or 1), *programs)


def build(by_file, names, programs=("bootjack", "bootjack-client")):
    """Returns the folder of the programs."""
    compile_into(BUILD, by_file, names, programs, "-DCMAKE_BUILD_TYPE=Release")
    return PROGRAM.parent


def build_client(by_file, names):
    """The client alone, with the defects: for tests that run it as a program. Returns the program."""
    folder = BUILD.with_name("client")
    compile_into(folder, by_file, names, ["bootjack-client"], "-DCMAKE_BUILD_TYPE=Release", "-DBOOTJACK_CLIENT_ONLY=ON")
    return folder / "bin" / "bootjack-client"
