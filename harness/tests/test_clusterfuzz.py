# SPDX-License-Identifier: Apache-2.0
""".clusterfuzzlite/build.sh under the environment that ClusterFuzzLite and OSS-Fuzz give it, for libFuzzer: what it puts into $OUT
runs by itself, elsewhere, from the seeds beside it. Of the targets one of codecs, and one of sessions."""
import os
import re
import shutil
import subprocess
import zipfile

import pytest
import yaml

from harness.pytest_bootjack import api

FOLDER = api.ROOT / ".clusterfuzzlite"
TARGETS = ("uri", "bootstrap_session")
# As the base image sets them.
FLAGS = ("-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -fsanitize=address "
         "-fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link")

pytestmark = [pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed (ci/setup)")
              for program in ("clang", "clang++", "patchelf", "zip")]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """$OUT, moved to another place after the build."""
    folder = tmp_path_factory.mktemp("out")
    work = api.ROOT / "build" / "clusterfuzz"
    work.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, SRC=str(api.ROOT.parent), OUT=str(folder / "out"), WORK=str(work), CC="clang", CXX="clang++", CFLAGS=FLAGS,
                       CXXFLAGS=FLAGS, SANITIZER="address", FUZZING_ENGINE="libfuzzer", ARCHITECTURE="x86_64",
                       LIB_FUZZING_ENGINE="-fsanitize=fuzzer", BOOTJACK_TARGETS=" ".join(TARGETS), BOOTJACK=str(api.find_bootjack()))
    done = subprocess.run([FOLDER / "build.sh"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return (folder / "out").rename(folder / "elsewhere")


@pytest.mark.parametrize("name", TARGETS)
def test_targets_run_from_their_seeds(out, name, tmp_path):
    with zipfile.ZipFile(out / f"fuzz_{name}_seed_corpus.zip") as seeds:
        seeds.extractall(tmp_path)
    few = [str(tmp_path / seed) for seed in sorted(os.listdir(tmp_path))[:20]]
    assert few
    done = subprocess.run([out / f"fuzz_{name}", *few], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("Executed") == len(few)


@pytest.mark.parametrize("name", TARGETS)
def test_options_are_those_of_libfuzzer(out, name):
    section, *lines = (out / f"fuzz_{name}.options").read_text().splitlines()
    assert section == "[libfuzzer]"
    known = subprocess.run([out / f"fuzz_{name}", "-help=1"], capture_output=True, text=True, check=False).stderr
    assert all(re.search(rf"^ {line.split(' = ')[0]}\s", known, re.M) for line in lines), lines


def test_libraries_are_beside_the_targets(out):
    """All but those of C: the machines that fuzz have nothing else."""
    for path in [*out.glob("fuzz_*"), *(out / "lib").iterdir()]:
        if os.access(path, os.X_OK) or ".so" in path.name:
            said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
            outside = [line.split()[0] for line in said.splitlines() if "=> /" in line and str(out / "lib") not in line]
            assert all(re.match(r"lib(c|m|dl|pthread|rt|resolv|gcc_s|stdc\+\+)\.so", library) for library in outside), (path, outside)


def test_the_image_has_what_the_script_needs():
    """No daemon builds it here; but what it names is what ci/setup installs for the same."""
    image = (FOLDER / "Dockerfile").read_text()
    packages = set(re.search(r"--no-install-recommends \\\n(.*?)\n(?=COPY)", image, re.S)[1].replace("\\", " ").split())
    here = {line.split()[0] for line in re.search(r"<<'LIST'\n(.*?)\nLIST", (api.ROOT / "ci" / "setup").read_text(), re.S)[1].splitlines()}
    assert packages <= here, packages - here
    project = yaml.safe_load((FOLDER / "project.yaml").read_text())
    assert project["language"] == "c" and "libfuzzer" in project["fuzzing_engines"]
