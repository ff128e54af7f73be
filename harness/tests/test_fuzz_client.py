# SPDX-License-Identifier: Apache-2.0
"""Session fuzzing of somebody else's client, linked in by BOOTJACK_FUZZ_CLIENT: the template, and copies of it with what is wrong."""
import re
import shutil
import subprocess

import pytest

from harness.pytest_bootjack import api, folders

TEMPLATE = api.ROOT / "harness" / "attach"
SEEDS = ("good/first-bootstrap", "good/blockwise", "good/default-port")

# A Token is of at most 8 bytes, which the length in a message's header can exceed. Names that others have, too: those of
# libcoap and mbedTLS are the client's own here, as in programs into which they are linked.
PLANTED = """
static volatile uint8_t kept;
int mbedtls_ssl_init(int one);
int mbedtls_ssl_init(int one) { return one + 1; }
void *coap_malloc_type(int type, size_t size);
void *coap_malloc_type(int type, size_t size) { return type ? malloc(size) : NULL; }
__attribute__((noinline)) static void keep_token(const uint8_t *message, size_t length) {
    uint8_t token[8];
    memcpy(token, message + 4, length >= 20 ? (size_t) (message[0] & 15) : 0);
    kept = token[mbedtls_ssl_init(0)];
}

static void receive(template_client *c) {"""

pytestmark = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed (ci/setup)")


def copy_of_template(folder, change, profile=True):
    """A vendor's folder: linked.h, a client, its profile and the CMake file, as docs/porting.md has them. Returns the last."""
    (folder / "attach").mkdir(parents=True)
    shutil.copy(TEMPLATE / "linked.h", folder / "attach")
    shutil.copy(TEMPLATE / "linked_template.yaml", folder)
    (folder / "linked_template.c").write_text(change((TEMPLATE / "linked_template.c").read_text()))
    text = (TEMPLATE / "linked_template.cmake").read_text().replace("${CMAKE_CURRENT_LIST_DIR}/..)", "${CMAKE_CURRENT_LIST_DIR})")
    text += "target_compile_options(template_client PRIVATE -fstack-protector-all)\n"
    (folder / "mine.cmake").write_text(text if profile else re.sub(r".*_PROFILE.*\n", "", text))
    return folder / "mine.cmake"


def with_planted(text):
    changed = text.replace("\nstatic void receive(template_client *c) {", PLANTED)
    return changed.replace("    if (length < 0 && errno", "    if (length > 4) {\n        keep_token(message, (size_t) length);\n    }\n"
                           "    if (length < 0 && errno")


def build_folder(preset):
    """One for all tests, also for those of other processes: from client to client little is compiled."""
    return folders.alone(api.ROOT / "build" / f"{preset}-client")


def configure(folder, client, preset, *more):
    return subprocess.run(["cmake", "--preset", preset, "-B", folder, "-DBUILD_TESTING=OFF", "-UBOOTJACK_FUZZ_CLIENT*",
                           f"-DBOOTJACK_FUZZ_CLIENT={client}", *more],
                          cwd=api.ROOT, capture_output=True, text=True, check=False)


def build(client, name, place, *more, preset="fuzz"):
    """The target of a name, or `bootjack-fuzz`, as a path in the folder `place`, or what its build said when it failed."""
    path = f"bin/{name}" if name == "bootjack-fuzz" else f"fuzz/fuzz_{name}"
    with build_folder(preset) as folder:
        done = configure(folder, client, preset, *more)
        assert done.returncode == 0, done.stderr
        done = subprocess.run(["ninja", "-C", folder, path], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode else shutil.copy(folder / path, place)


def search(target, seeds, folder, runs):
    grown = folder / "grown"
    grown.mkdir()
    return subprocess.run([target, "-max_len=1024", "-entropic=0", "-timeout=100000000", "-seed=1", f"-runs={runs}",
                           f"-artifact_prefix={folder}/", grown, seeds], capture_output=True, text=True, errors="replace", check=False)


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for path in (api.ROOT / f"scenarios/{name}.yaml" for name in SEEDS):
        done = subprocess.run([api.find_bootjack(), "program", path, "--compile"], capture_output=True, check=True)
        (folder / path.stem).write_bytes(done.stdout)
    return folder


def test_the_template_is_clean_but_for_what_its_profile_says(seeds, tmp_path):
    target = build(TEMPLATE / "linked_template.cmake", "bootstrap_session", tmp_path)
    done = search(target, seeds, tmp_path, 2000)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"^sessions: \d{4}", done.stderr, re.M), done.stderr[-500:]
    assert int(re.search(r"^transitions: (\d+) with", done.stderr, re.M)[1]) > 10
    edges = int(re.search(r"\((\d+) inline 8-bit counters\)", done.stderr)[1])
    assert 60 < edges < 400, "the client's are counted, and nobody else's"


def test_without_its_profile_what_it_does_wrong_is_found(tmp_path, seeds):
    client = copy_of_template(tmp_path / "mine", lambda text: text, profile=False)
    done = search(build(client, "bootstrap_session", tmp_path), seeds, tmp_path, 500)
    assert done.returncode != 0 and "BROKEN: COAP-ANSWERED" in done.stderr, done.stderr[-3000:]


def test_a_planted_fault_is_found(tmp_path):
    client = copy_of_template(tmp_path / "mine", with_planted)
    done = search(build(client, "datagrams", tmp_path), api.ROOT / "corpus" / "datagrams", tmp_path, 30000)
    assert "stack-buffer-overflow" in done.stderr and "keep_token" in done.stderr, done.stderr[-3000:]
    assert list(tmp_path.glob("crash-*"))


def test_a_client_without_security_says_that_nothing_was_played(tmp_path, seeds):
    target = build(TEMPLATE / "linked_template.cmake", "secure_session", tmp_path)
    done = search(target, seeds, tmp_path, 20)
    assert done.returncode == 0, done.stderr[-3000:]
    said = re.search(r"^sessions: (\d+); for (\d+) the client template could not be made, at last: the bootstrap server's name",
                     done.stderr, re.M)
    assert said and int(said[2]) > int(said[1]) / 2, done.stderr[-500:]


def triage(client, folder, findings):
    """What `bootjack-fuzz triage` that is built for the client says of the findings, and where it put what they came to."""
    out = folder / "triage"
    done = subprocess.run([build(client, "bootjack-fuzz", folder), "triage", "--out", out, *findings], capture_output=True, text=True,
                          errors="replace", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, out


def test_findings_are_triaged_with_that_client(tmp_path, seeds):
    """Ours answers: what is made smaller is what the vendor's client does. And so it is with memory errors."""
    client = copy_of_template(tmp_path / "mine", lambda text: text, profile=False)
    said, out = triage(client, tmp_path, [seeds / "first-bootstrap"])
    assert said.startswith("COAP-ANSWERED: 1 findings; ") and "1 groups of findings, 0 do not repeat" in said
    assert ">>> COAP-ANSWERED (MUST) is broken" in (out / "COAP-ANSWERED.yaml").read_text()
    ours = subprocess.run([api.find_bootjack(), "run", out / "COAP-ANSWERED.yaml"], capture_output=True, text=True, check=False)
    assert "BROKEN: COAP-ANSWERED" not in ours.stdout, ours.stdout


def test_a_crash_is_triaged_with_that_client(tmp_path, seeds):
    client = copy_of_template(tmp_path / "mine", with_planted)
    scenario = tmp_path / "token.yaml"
    scenario.write_text("title: t\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\nsteps:\n  - request: {to: bs, method: POST, path: /bs}\n"
                        "  - {respond: 2.04}\n  - raw: 4f010001000102030405060708090a0b0c0d0eb2\n")
    said, out = triage(client, tmp_path, [scenario])
    assert said.startswith("crash-keep_token: ") and "stack-buffer-overflow" in said, said
    assert "raw: " in (out / "crash-keep_token.yaml").read_text()


@pytest.mark.skipif(not (shutil.which("afl-fuzz") and shutil.which("afl-clang-fast")), reason="AFL++ is not installed (ci/setup)")
def test_a_planted_fault_is_found_by_the_other_engine(tmp_path):
    client = copy_of_template(tmp_path / "mine", with_planted)
    target = build(client, "datagrams", tmp_path, preset="afl")
    seed = tmp_path / "seeds" / "answered"
    seed.parent.mkdir()
    # A datagram whose header says that its Token has 7 bytes; one bit more and it has 15.
    seed.write_bytes(bytes([1, 0, 24]) + bytes([0x67, 0x44, 0, 1]) + bytes(range(20)))
    environment = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
                   "AFL_BENCH_UNTIL_CRASH": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["afl-fuzz", "-i", seed.parent, "-o", tmp_path / "out", "-s", "1", "-t", "20000", "-E", "50000", "--", target],
                          env=environment, capture_output=True, text=True, errors="replace", check=False)
    crashes = sorted((tmp_path / "out" / "default" / "crashes").glob("id*"))
    assert crashes, done.stdout[-3000:]
    again = subprocess.run([target, crashes[0]], capture_output=True, text=True, errors="replace", check=False)
    assert again.returncode != 0 and "stack smashing" in again.stderr, again.stderr[-3000:]


def test_what_is_wrong_with_a_client_is_said(tmp_path):
    for client, said in ((tmp_path / "none.cmake", "there is no file"), (tmp_path / "empty.cmake", "does not set BOOTJACK_FUZZ_CLIENT_LIBRARIES")):
        (tmp_path / "empty.cmake").write_text("")
        with build_folder("fuzz") as folder:
            done = configure(folder, client, "fuzz")
        assert done.returncode != 0 and said in " ".join(done.stderr.split()), done.stderr
    good = TEMPLATE / "linked_template.cmake"
    for option, said in (("SYMBOL=my-client", "is no name of a variable in C"), ("PROFILE=none.yaml", "there is no file")):
        client = copy_of_template(tmp_path / option, lambda text: text, profile=False)
        with build_folder("fuzz") as folder:
            done = configure(folder, client, "fuzz", f"-DBOOTJACK_FUZZ_CLIENT_{option}")
        assert done.returncode != 0 and said in " ".join(done.stderr.split()), done.stderr
    assert "undefined reference to `thermometer'" in build(good, "datagrams", tmp_path, "-DBOOTJACK_FUZZ_CLIENT_SYMBOL=thermometer")


def test_a_client_for_a_later_version_is_refused(tmp_path):
    client = copy_of_template(tmp_path / "mine", lambda text: text.replace(".version = BOOTJACK_LINKED_VERSION", ".version = 99"))
    (tmp_path / "input").write_bytes(b"")
    done = subprocess.run([build(client, "datagrams", tmp_path), tmp_path / "input"], capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode != 0 and "the client template was made for version 99 of attach/linked.h" in done.stderr, done.stderr[-2000:]
