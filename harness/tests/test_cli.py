# SPDX-License-Identifier: Apache-2.0
"""What `bootjack` says and how it exits when something is wrong: with the command line, the scenario, the client."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest

from harness.pytest_bootjack import api

PASSED, FAILED, COULD_NOT_RUN, USAGE = 0, 1, 2, 64

BOOTSTRAP = """\
title: The client asks for bootstrap
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 4.00
"""

# Small programs, none of which is an LwM2M client.
PROGRAMS = {
    "has-a-note-of-go": """
        __attribute__((section(".note.go.buildid"), aligned(4))) const struct { unsigned name, length, type; char owner[4], text[4]; }
            note = { 4, 4, 4, "Go", "id" };
        int main(void) { return note.type; }
    """,
    "exits-3": "int main(void) { return 3; }",
    "calls-exit-4": "#include <unistd.h>\nint main(void) { _exit(4); }",
    "crashes": "int main(int c, char **v) { (void) v; *(volatile int *) (long) (c - 1) = 1; }",
    "aborts": "#include <stdlib.h>\nint main(void) { abort(); }",
    "glances": "#include <time.h>\nint main(void) { struct timespec t; for (;;) clock_gettime(CLOCK_MONOTONIC, &t); }",
    "polls": "#include <poll.h>\nint main(void) { for (;;) poll(0, 0, 1000); }",
    "computes": "int main(void) { for (volatile unsigned i = 0;; i++) { } }",
    "reads-a-pipe": "#include <unistd.h>\nint main(void) { int p[2]; char c; return pipe(p) || read(p[0], &c, 1) < 0; }",
    "waits-for-ever": "#include <unistd.h>\nint main(void) { for (;;) pause(); }",
    # Neither libc nor its syscall(): nothing that can be interposed.
    "sleeps-by-itself": """
        int main(void) {
            long time[2] = { 1000, 0 }, result;
        #if defined(__x86_64__)
            __asm__ volatile("syscall" : "=a"(result) : "a"(35), "D"(time), "S"(0) : "rcx", "r11", "memory");
        #else
            register long x8 __asm__("x8") = 101, x0 __asm__("x0") = (long) time, x1 __asm__("x1") = 0;
            __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
            result = x0;
        #endif
            return (int) result;
        }""",
    "exits-by-itself": """
        int main(void) {
        #if defined(__x86_64__)
            __asm__ volatile("syscall" : : "a"(231), "D"(7));
        #else
            register long x8 __asm__("x8") = 94, x0 __asm__("x0") = 7;
            __asm__ volatile("svc 0" : : "r"(x0), "r"(x8));
        #endif
            return 0;
        }""",
    "writes-behind": "#include <stdlib.h>\nint main(void) { volatile char *p = malloc(8); return p[8]; }",
    "floods": """
        #include <stdio.h>
        int main(void) {
            for (int i = 0; i < 30000; i++)
                printf("line %d\\n", i);
            puts("==1==ERROR: AddressSanitizer: heap-buffer-overflow");
            return 1;
        }""",
    "writes-for-ever": "#include <stdio.h>\nint main(void) { while (puts(\"y\") >= 0) { } return 1; }",
    "rings": "#include <stdio.h>\nint main(void) { return puts(\"rings \\a and \\033[2J\") < 0; }",
    # Asks for what only the canary asks for.
    "canary": """
        #include <netdb.h>
        #include <string.h>
        #include <sys/socket.h>
        #include <unistd.h>
        int main(void) {
            static const char m[] = "\\x41\\x05\\x00\\x01\\x01\\xb2no\\x06" "client\\x04" "asks\\x03" "for\\x04this"
                                    "\\x4anonsense=1";
            struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
            if (getaddrinfo("bs.example", "5683", &hints, &found) != 0)
                return 1;
            int s = socket(found->ai_family, SOCK_DGRAM, 0);
            sendto(s, m, sizeof m - 1, 0, found->ai_addr, found->ai_addrlen);
            for (;;)
                pause();
        }""",
    # The first of its kind waits until twenty have begun; all ask.
    "waits-for-others": """
        #include <fcntl.h>
        #include <netdb.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <unistd.h>
        int main(int count, char **words) {
            static const char m[] = "\\x41\\x02\\x00\\x01\\x01\\xb2" "bs\\x48" "ep=dev-1";
            struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
            int begun = open(words[1], O_WRONLY | O_APPEND | O_CREAT, 0600), first;
            struct stat all;
            write(begun, ".", 1);
            for (first = !fstat(begun, &all) && all.st_size == 1; first && all.st_size < 20; fstat(begun, &all)) {
            }
            if (getaddrinfo("bs.example", "5683", &hints, &found) != 0)
                return 1;
            int s = socket(found->ai_family, SOCK_DGRAM, 0);
            sendto(s, m, sizeof m - 1, 0, found->ai_addr, found->ai_addrlen);
            for (;;)
                pause();
        }""",
    # CON POST /bs?ep=dev-1, and says what it was answered.
    "asks": """
        #include <netdb.h>
        #include <stdio.h>
        #include <sys/socket.h>
        int main(void) {
            static const char m[] = "\\x41\\x02\\x00\\x01\\x01\\xb2" "bs\\x48" "ep=dev-1";
            struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
            if (getaddrinfo("bs.example", "5683", &hints, &found) != 0)
                return 1;
            int s = socket(found->ai_family, SOCK_DGRAM, 0);
            sendto(s, m, sizeof m - 1, 0, found->ai_addr, found->ai_addrlen);
            unsigned char answer[64];
            long got = recv(s, answer, sizeof answer, 0);
            printf("answer %ld %d.%02d\\n", got, answer[1] >> 5, answer[1] & 31);
            return 0;
        }""",
}


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Compiles a program of PROGRAMS, once."""
    folder = tmp_path_factory.mktemp("programs")

    def build(name, compiler="gcc", *options):
        path = folder / "-".join([name, compiler, *(o.strip("-=") for o in options)])
        if not path.exists():
            if not shutil.which(compiler):
                pytest.skip(f"{compiler} is not installed")
            source = folder / f"{path.name}.c"
            source.write_text(PROGRAMS[name])
            subprocess.run([compiler, "-w", "-O1", *options, "-o", path, source], check=True)
        return path

    return build


@pytest.fixture
def scenario(tmp_path):
    def write(text=BOOTSTRAP, name="scenario.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def bootjack(*arguments, timeout=60, **options):
    command = [str(api.find_bootjack()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL, **options)


def run_client(client, scenario_file, *options):
    """`bootjack run` with that client and no canary; the result as JSON, and the exit status."""
    done = bootjack("run", scenario_file, "--client", f"exec:{client}", "--no-canary", "--json", *options)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return json.loads(lines[0]), done.returncode


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["serve", "--help"], ["check", "--help"],
                                       ["program", "--help"], ["decode", "--help"], ["--version"],
                                       ["serve", "--suite", "nowhere", "--help"]])
def test_help_is_data(arguments):
    done = bootjack(*arguments)
    assert done.returncode == PASSED
    assert "bootjack" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("arguments, text", [
    ([], "usage: bootjack"),
    (["fly"], "no command 'fly'"),
    (["run"], "no scenario was given"),
    (["run", "x.yaml", "--what"], "--what: unknown option"),
    (["run", "x.yaml", "--seed"], "--seed: unknown option, or its value is missing"),
    (["run", "x.yaml", "--seed", "one"], "--seed one: not a number"),
    (["run", "x.yaml", "-j", "0"], "-j 0: expected 1 to 256"),
    (["run", "x.yaml", "--limit", "soon"], "--limit soon: not a number of seconds"),
    (["serve", "x.yaml"], "--listen is missing"),
    (["serve", "x.yaml", "--listen", "here"], "--listen here: expected ADDRESS:PORT"),
    (["serve", "--listen", "127.0.0.1:0"], "expected one scenario"),
])
def test_wrong_usage(arguments, text):
    done = bootjack(*arguments)
    assert done.returncode == USAGE
    assert text in done.stderr
    assert done.stdout == ""


# --- the scenario -------------------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path):
    done = bootjack("run", tmp_path / "nowhere.yaml")
    assert done.returncode == COULD_NOT_RUN
    assert "nowhere.yaml: No such file or directory" in done.stderr


def test_a_folder_without_scenarios(tmp_path):
    done = bootjack("run", tmp_path)
    assert done.returncode == COULD_NOT_RUN
    assert "there is no scenario in this folder" in done.stderr


def test_check_of_a_folder_without_scenarios(tmp_path):
    """Who checks the wrong folder does not hear that all is well."""
    done = bootjack("check", tmp_path)
    assert done.returncode == COULD_NOT_RUN
    assert "there is no scenario in this folder" in done.stderr


@pytest.mark.parametrize("command", [["run", "--no-canary"], ["check"]])
def test_a_scenario_from_a_pipe(command, tmp_path):
    """It can be read once; without an end it is told to be too large, and not kept until the memory is full."""
    limit = (resource.RLIMIT_AS, (2 << 30, 2 << 30))
    done = bootjack(*command, "/dev/zero", preexec_fn=lambda: resource.setrlimit(*limit))
    assert done.returncode == COULD_NOT_RUN
    assert "larger than" in done.stderr, done.stderr[-500:]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("steps:\n  - wirte: /0/1\n",))
    writer.start()
    done = bootjack(*command, pipe)
    writer.join()
    assert f"{pipe}:2:5: error: " in done.stderr


def test_what_program_writes_to_is_kept_where_it_cannot_be_written(scenario, tmp_path):
    """A device is not the program's to remove; nor is the file of before, where the scenario has a mistake."""
    pipe, linked, before = tmp_path / "pipe", tmp_path / "linked", tmp_path / "before.yaml"
    linked.symlink_to("/dev/full")
    assert bootjack("program", "--schema", "-o", linked).returncode == COULD_NOT_RUN
    assert linked.is_symlink()
    os.mkfifo(pipe)
    for out in (pipe, before):
        if out == before:
            before.write_text("of before")
        done = bootjack("program", scenario("steps:\n  - wirte: /0/1\n"), "-o", out)
        assert done.returncode == COULD_NOT_RUN and "2:5: error" in done.stderr
    assert pipe.is_fifo() and before.read_text() == "of before"


def test_a_mistake_has_a_place(scenario):
    path = scenario("title: A mistake\nsteps:\n  - wirte: /0/1\n")
    done = bootjack("run", path)
    assert done.returncode == COULD_NOT_RUN
    assert f"{path}:3:5: error:" in done.stderr
    assert "did you mean 'write'" in done.stderr
    assert done.stdout.startswith("error ")


def test_one_mistake_does_not_stop_the_others(scenario, tmp_path):
    scenario("title: A mistake\nsteps: 1\n", "a.yaml")
    scenario("title: Nothing\nsteps: [note: well]\n", "b.yaml")
    done = bootjack("run", tmp_path, "--json")
    assert done.returncode == COULD_NOT_RUN
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["error", "pass"]


def test_folders_are_searched_in_order_and_other_yaml_is_passed_over(scenario, tmp_path):
    text = "title: Nothing\nsteps: [note: well]\n"
    for name in ("b/2.yaml", "b/1.yaml", "a/9.yaml", "canary/x.yaml", ".hidden/x.yaml"):
        scenario(text, name)
    scenario("rules: []\n", "rules.yaml")
    done = bootjack("run", tmp_path, "--json")
    names = [os.path.relpath(json.loads(line)["scenario"], tmp_path) for line in done.stdout.splitlines()]
    assert names == ["a/9.yaml", "b/1.yaml", "b/2.yaml"]
    assert "canary" in bootjack("run", tmp_path / "canary").stdout


# --- clients that cannot be started -------------------------------------------------------------------------------


def cannot_start(client, scenario_file, text):
    result, status = run_client(client, scenario_file)
    assert status == COULD_NOT_RUN
    assert result["verdict"] == "error"
    assert text in result["reason"]


def test_no_such_profile(scenario):
    done = bootjack("run", scenario(), "--client", "nobody")
    assert done.returncode == COULD_NOT_RUN
    assert "--client nobody: no such client" in done.stderr


def test_a_failure_names_the_rules(scenario, programs, tmp_path):
    path = scenario(BOOTSTRAP.replace("steps:", "rules: [BS-REQUEST, BS-FINISH]\nsteps:"))
    done = bootjack("run", path, "--client", f"exec:{programs('exits-3')}", "--no-canary", "--junit", tmp_path / "junit.xml")
    assert done.returncode == FAILED and "\n      rules: BS-REQUEST, BS-FINISH\n" in done.stdout, done.stdout
    case = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot().find(".//testcase")
    assert case.find(".//property[@name='rules']").get("value") == "BS-REQUEST, BS-FINISH"
    assert "rules: BS-REQUEST, BS-FINISH\n" in case.find("failure").text


def test_a_mistake_in_a_profile_is_said_alone(scenario, tmp_path):
    profile = tmp_path / "profile.yaml"
    profile.write_text("name: c\ncomand: [c]\n")
    done = bootjack("run", scenario(), "--client", profile)
    assert done.returncode == COULD_NOT_RUN
    assert "profile has no field 'comand'" in done.stderr and "no such client" not in done.stderr


def test_a_program_is_no_profile(scenario, programs):
    done = bootjack("run", scenario(), "--client", programs("asks"))
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == (f"bootjack: --client {programs('asks')}: this is a program, and no profile: it is given as "
                           f"'exec:{programs('asks')} {{bs_uri}} {{endpoint}}', with its options and what it must be told\n")


def test_a_client_that_is_not_there(scenario):
    cannot_start("/nowhere/client", scenario(), "the client was not found: /nowhere/client: No such file or directory")
    cannot_start("no-such-program", scenario(), "there is no program 'no-such-program' in PATH")


def test_a_client_that_is_not_executable(scenario, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("hello\n")
    cannot_start(plain, scenario(), "the client is not executable")
    cannot_start(tmp_path, scenario(), "is a directory")


def test_a_client_that_is_no_program(scenario, tmp_path):
    text = tmp_path / "text"
    text.write_text("hello\n")
    text.chmod(0o755)
    cannot_start(text, scenario(), "is neither a program nor a script")


def test_a_static_client(scenario, programs):
    cannot_start(programs("exits-3", "gcc", "-static"), scenario(), "is statically linked: nothing can be preloaded")
    if pathlib.Path("/bin/busybox").exists():
        cannot_start("/bin/busybox true", scenario(), "is statically linked")


def test_a_client_in_go(scenario, programs):
    """Go's runtime makes system calls by itself, even where the program is linked with the C library (cgo): known by its note."""
    cannot_start(programs("has-a-note-of-go"), scenario(), "is written in Go, whose run time makes system calls by itself: "
                 "the preload library does not see them; it can be tested over the network")


def test_a_client_of_32_bits(scenario, tmp_path):
    """The head of an ELF file for i386 is enough to be known by."""
    program = tmp_path / "small"
    program.write_bytes(b"\x7fELF\1\1\1" + bytes(9) + b"\2\0\3\0\1\0\0\0" + bytes(40))
    program.chmod(0o755)
    cannot_start(program, scenario(), "is a 32-bit program for another machine: the preload library does not fit into it; it "
                 "can be tested over the network")


def test_a_client_on_musl(scenario, programs):
    cannot_start(programs("exits-3", "musl-gcc"), scenario(), "is not on the GNU C library")


def test_a_client_for_another_machine(scenario, tmp_path):
    header = bytearray(pathlib.Path("/proc/self/exe").read_bytes()[:4096])
    header[4] = 1
    foreign = tmp_path / "foreign"
    foreign.write_bytes(header)
    foreign.chmod(0o755)
    cannot_start(foreign, scenario(), "is a 32-bit program")
    header[4], header[18:20] = 2, struct.pack("<H", 8)
    foreign.write_bytes(header)
    cannot_start(foreign, scenario(), "for another machine")


def test_no_preload_library(scenario, tmp_path):
    done = bootjack("run", scenario(), "--client", "exec:/bin/true", "--no-canary", "--preload", tmp_path / "none.so")
    assert done.returncode == COULD_NOT_RUN
    assert "the preload library was not found" in done.stdout


def test_a_preload_library_that_is_none(scenario, tmp_path):
    """The loader warns and goes on without it; so the client never reports itself."""
    wrong = tmp_path / "wrong.so"
    wrong.write_text("")
    done = bootjack("run", scenario(), "--client", "exec:/bin/true", "--no-canary", "--preload", wrong)
    assert done.returncode == COULD_NOT_RUN
    assert "the preload library never reported itself (the client ended with status 0)" in done.stdout


def test_a_linked_library_that_is_none(scenario, tmp_path):
    for library, text in [("/nowhere.so", "cannot be loaded"), ("libm.so.6", "does not export bootjack_client")]:
        path = library if library.startswith("/") else find_library(library)
        done = bootjack("run", scenario(), "--client", f"linked:{path}", "--no-canary")
        assert done.returncode == COULD_NOT_RUN
        assert text in done.stdout


def find_library(name):
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return next(line.split()[-1] for line in listing.splitlines() if line.split()[:1] == [name])


# --- clients that do not do what they should ----------------------------------------------------------------------


@pytest.mark.parametrize("program, text", [
    ("exits-3", "status 3"),
    ("calls-exit-4", "status 4"),
    ("crashes", "the client crashed: signal 11 (Segmentation fault)"),
    ("aborts", "the client crashed: signal 6 (Aborted)"),
    ("glances", "spins"),
    ("waits-for-ever", "the client sent nothing"),
    ("reads-a-pipe", "the client sent nothing"),
    ("exits-by-itself", "status 7, by a call that the world does not see"),
])
def test_a_client_that_never_gets_there(program, text, scenario, programs):
    result, status = run_client(programs(program), scenario())
    assert (status, result["verdict"]) == (FAILED, "fail")
    assert text in result["reason"]
    assert result["line"] == 3


@pytest.mark.parametrize("program, text", [
    ("sleeps-by-itself", "the client blocks for real: it made no call that the world answers for 0."),
    ("computes", "the client spins: it made no call that the world answers for 0."),
    ("writes-for-ever", "the client writes without end: for "),
])
def test_a_client_outside_the_world(program, text, scenario, programs):
    result, status = run_client(programs(program), scenario(), "--limit", "4" if program == "writes-for-ever" else "1")
    assert (status, result["verdict"]) == (FAILED, "fail")
    assert text in result["reason"]
    assert result["real_us"] < 10e6


def test_a_client_that_uses_up_its_budget(scenario, programs):
    path = scenario(BOOTSTRAP.replace("/bs}", "/bs, within: 30d}") + "budget: 1h\n")
    result, status = run_client(programs("polls"), path)
    assert (status, result["verdict"]) == (FAILED, "fail")
    assert "virtual time" in result["reason"]
    assert 3600e6 <= result["virtual_us"] < 3602e6


def test_what_a_sanitizer_finds(scenario, programs):
    program = programs("writes-behind", "clang", "-fsanitize=address")
    result, status = run_client(program, scenario())
    assert (status, result["verdict"]) == (FAILED, "fail")
    assert "AddressSanitizer: heap-buffer-overflow" in result["reason"]


def test_an_exit_that_the_script_awaits(scenario, programs):
    path = scenario("title: It exits\nsteps: [exit: 3]\n")
    assert run_client(programs("exits-3"), path)[1] == PASSED
    result, status = run_client(programs("calls-exit-4"), path)
    assert status == FAILED
    assert "4" in result["reason"]


# --- clients that are carried -------------------------------------------------------------------------------------


def test_output_is_kept(scenario, programs):
    result, status = run_client(programs("asks"), scenario(BOOTSTRAP + "  - exit: 0\n"))
    assert status == PASSED, result
    assert [line["text"] for line in result["output"]] == ["answer 5 4.00"]


def test_scripts_and_programs_that_replace_themselves(scenario, programs, tmp_path):
    path = scenario(BOOTSTRAP + "  - exit: 0\n")
    wrapper = tmp_path / "wrapper"
    for text in (f"#!/bin/sh\nexec {programs('asks')}\n", f"#!/usr/bin/env -S {programs('asks')}\n"):
        wrapper.write_text(text)
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        result, status = run_client(wrapper, path)
        assert status == PASSED, result


def test_the_preload_leaves_no_trace_in_the_environment(scenario, tmp_path):
    script = tmp_path / "show"
    script.write_text("#!/bin/sh\nexec env\n")
    script.chmod(0o755)
    result, _ = run_client(script, scenario("title: It exits\nsteps: [exit: 0]\n"))
    assert not [line for line in result["output"] if "PRELOAD" in line["text"]]
    assert result["verdict"] == "pass", result


def test_a_linked_client_from_a_library(scenario):
    library = api.find_bootjack().parent.parent / "lib" / "linked_template.so"
    path = scenario(BOOTSTRAP.replace("steps:", 'client: {bootstrap: {uri: "coap://bs.example", holdoff: 10s}}\n'
                                                "recovery: {off: the template only asks}\nsteps:")
                    .replace("/bs}", "/bs, query: {ep: dev-1}, at: 10s}"))
    done = bootjack("run", path, "--client", f"linked:{library}", "-v")
    assert done.returncode == PASSED, done.stdout
    assert "client: hold-off -> waiting: Bootstrap-Request" in done.stdout


def test_a_client_in_the_process_as_the_guide_builds_it(tmp_path):
    """docs/porting.md, word by word, in a folder that has no more than the repository's files."""
    text = (api.ROOT / "docs/porting.md").read_text().split("## 7. ")[1]
    commands, asks = re.findall(r"^```(?:yaml)?\n(.*?)^```$", text, re.M | re.S)[:2]
    (tmp_path / "asks.yaml").write_text(asks)
    (tmp_path / "harness").symlink_to(api.ROOT / "harness")
    for line in commands.splitlines():
        line = line.replace("build/release/bin/bootjack", str(api.find_bootjack()))
        done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, line + "\n" + done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_junit_stands_in_the_folder_of_a_report_and_where_it_was_asked_for(tmp_path):
    done = bootjack("run", api.ROOT / "scenarios/good/first-bootstrap.yaml", "--report", tmp_path / "report", "--junit", tmp_path / "other.xml")
    assert done.returncode == PASSED, done.stderr
    assert "</testsuites>" in (tmp_path / "other.xml").read_text()
    assert (tmp_path / "report/junit.xml").read_text() == (tmp_path / "other.xml").read_text()


def test_control_characters_are_shown_and_not_printed(scenario, programs, tmp_path):
    """Of a scenario's title and endpoint, and of what a client writes."""
    hostile = scenario(r"""
title: "a\x01b\x1b[31mc\u009bd"
client: {endpoint: "e\ap"}
steps:
  - request: {to: bs, method: POST, path: /bs, query: {ep: "e\0p"}}
""")
    client = f"exec:{programs('rings')} {{bs_uri}} {{endpoint}}"
    for more in ([], ["-v"]):
        done = bootjack("run", hostile, "--client", client, "--no-canary", "--report", tmp_path / "report", *more)
        assert done.returncode == FAILED, done.stdout + done.stderr
        page = (tmp_path / "report/index.html").read_text()
        for text in (done.stdout, page):
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), repr(text)
            assert r"a\x01b\x1b[31mc\x9bd" in text and r"rings \x07 and \x1b[2J" in text


@pytest.mark.parametrize("attach", ["exec", "network"])
def test_a_report_behind_much_output(attach, scenario, programs):
    """The first lines and the last are kept; what a sanitizer says is heard wherever it stands."""
    client = f"{attach}:{programs('floods')} {{bs_uri}}"
    done = bootjack("run", scenario(), "--client", client, "--no-canary")
    assert done.returncode == FAILED and "AddressSanitizer: heap-buffer-overflow" in done.stdout.splitlines()[1], done.stdout
    assert re.search(r"last lines:\n        \(29989 earlier lines\)\n.* line 29989\n", done.stdout)
    output = json.loads(bootjack("run", scenario(), "--client", client, "--no-canary", "--json").stdout)["output"]
    assert len(output) == 20150 and output[20000]["left_out"] == 30001 - 20150
    assert [line["text"] for line in (output[0], output[19999], output[-2])] == ["line 0", "line 19999", "line 29999"]


@pytest.mark.parametrize("attach", ["exec", "network"])
def test_a_placeholder_that_there_is_not(attach, scenario):
    done = bootjack("run", scenario(), "--client", f"{attach}:/bin/true {{endpont}} {{bs_uri}}", "--no-canary")
    assert done.returncode == COULD_NOT_RUN and not done.stdout
    assert done.stderr == (f"bootjack: --client {attach}:/bin/true {{endpont}} {{bs_uri}}: there is no placeholder {{endpont}} "
                           "(did you mean {endpoint}?)\n")


def test_a_placeholder_that_there_is_not_in_a_profile(scenario, tmp_path):
    profile = tmp_path / "profile.yaml"
    profile.write_text("name: c\ncommand: [/bin/true, '{bs_uri}', '{endpont}']\n")
    done = bootjack("run", scenario(), "--client", profile, "--no-canary")
    assert done.returncode == COULD_NOT_RUN and not done.stdout
    assert f"{profile}:2:10: error: there is no placeholder {{endpont}} (did you mean 'endpoint'?)" in done.stderr


def test_what_the_client_cannot_be_told_is_skipped(scenario):
    path = scenario(BOOTSTRAP.replace("steps:", 'client: {bootstrap: {uri: "coap://bs.example", holdoff: 1s}}\nsteps:'))
    result, status = run_client("/bin/true {bs_uri}", path)
    assert (status, result["verdict"]) == (PASSED, "skip")
    assert result["reason"] == "the client cannot be told a hold-off ({holdoff})"


def test_a_canary_that_passes(scenario, programs):
    done = bootjack("run", scenario(), "--client", f"exec:{programs('canary')}")
    assert done.returncode == COULD_NOT_RUN
    assert "the canary passed" in done.stderr
    assert done.stdout == ""


# --- known deviations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program, text, status, verdict", [
    ("exits-3", "status 3", PASSED, "xfail"),
    ("exits-3", "something else", FAILED, "fail"),
    ("asks", "status 3", FAILED, "fail"),
])
def test_deviations(program, text, status, verdict, scenario, programs, tmp_path):
    profile = tmp_path / "client.yaml"
    profile.write_text(f"name: it\nattach: exec\ncommand: [\"{programs(program)}\"]\n"
                       f"deviations: [{{scenario: 'scen*.yaml', reason: it is known, text: {text}}}]\n")
    done = bootjack("run", scenario(), "--client", profile, "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["verdict"]) == (status, verdict), result
    if program == "asks":
        assert result["reason"] == "expected to fail (it is known), passes now"


def test_a_deviation_names_a_rule_that_oracles_judge(scenario, tmp_path):
    profile = tmp_path / "client.yaml"
    profile.write_text("name: it\nattach: linked\n"
                       "deviations:\n  - {scenario: '*', rule: COAP-PING, reason: known}\n  - {scenario: '*', rule: COAP-PNIG, reason: known}\n")
    done = bootjack("run", scenario(), "--client", profile)
    assert (done.returncode, done.stdout) == (COULD_NOT_RUN, "")
    assert f"{profile}:5:5: error: no oracle judges the rule 'COAP-PNIG', and nothing is excused by it (did you mean 'COAP-PING'?)" in done.stderr


# --- reports ------------------------------------------------------------------------------------------------------


def test_a_failure_says_where_and_how_to_see_it_again(scenario, programs):
    path = scenario(BOOTSTRAP.replace("/bs}", "/bootstrap}"))
    done = bootjack("run", path, "--client", f"exec:{programs('asks')}", "--seed", "5")
    assert done.returncode == FAILED
    assert f"at {path}:3:5" in done.stdout
    assert "POST /bs?ep=dev-1" in done.stdout
    again = next(line for line in done.stdout.splitlines() if line.strip().startswith("again: "))
    repeated = subprocess.run(again.split("again: ")[1], shell=True, capture_output=True, text=True, check=False)
    assert repeated.returncode == FAILED
    assert "0 passed, 1 failed" in repeated.stdout


def test_files_beside_the_result(scenario, programs, tmp_path):
    scenario(BOOTSTRAP, "s/a.yaml")
    scenario(BOOTSTRAP.replace("/bs}", "/no}"), "s/b.yaml")
    done = bootjack("run", "s", "--client", f"exec:{programs('asks')}", "--junit", "junit.xml", "--pcap", "captures",
                    "--log", "logs", cwd=tmp_path)
    assert done.returncode == FAILED, done.stderr
    assert sorted(p.name for p in (tmp_path / "captures").iterdir()) == ["s-a.pcapng", "s-b.pcapng"]
    for name in ("s-a.jsonl", "s-b.jsonl"):
        events = [json.loads(line) for line in (tmp_path / "logs" / name).read_text().splitlines()]
        assert (events[0]["kind"], events[-1]["kind"]) == ("run-begin", "run-end")
    cases = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    assert [[child.tag for child in case] for case in cases] == [["properties"], ["properties", "failure"]]


def test_a_file_that_cannot_be_written(scenario, programs):
    done = bootjack("run", scenario(), "--client", f"exec:{programs('asks')}", "--junit", "/nowhere/x.xml")
    assert done.returncode == COULD_NOT_RUN
    assert "/nowhere/x.xml: No such file or directory" in done.stderr
    done = bootjack("run", scenario(), "--client", f"exec:{programs('asks')}", "--pcap", "/nowhere/x.pcapng")
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == "bootjack: /nowhere/x.pcapng: No such file or directory\n"


@pytest.mark.parametrize("option", ["--pcap", "--log"])
def test_a_file_in_place_of_a_folder_is_told_before_anything_runs(option, scenario):
    done = bootjack("run", scenario(), scenario(), option, scenario())
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == f"bootjack: {scenario()}: Not a directory\n" and not done.stdout


def test_a_quote_that_is_never_closed(scenario):
    done = bootjack("run", scenario(), "--client", "exec:client 'a b")
    assert done.returncode == COULD_NOT_RUN
    assert "--client exec:client 'a b: a quote is not closed" in done.stderr


def test_several_at_once_are_reported_in_order(scenario, programs, tmp_path):
    for i in range(12):
        scenario(BOOTSTRAP, f"s/{i:02}.yaml")
    arguments = ["run", tmp_path / "s", "--client", f"exec:{programs('asks')}", "--json"]
    alone, together = bootjack(*arguments), bootjack(*arguments, "-j", "4")
    names = [[json.loads(line)["scenario"] for line in done.stdout.splitlines()] for done in (alone, together)]
    assert len(names[0]) == 12 and names[0] == names[1]
    assert together.returncode == PASSED


def test_what_comes_behind_a_slow_one_is_run_meanwhile(scenario, programs, tmp_path):
    """The first client waits for the twentieth to begin: that is run, though nothing can be reported before the first."""
    for i in range(20):
        scenario(BOOTSTRAP, f"s/{i:02}.yaml")
    profile = tmp_path / "client.yaml"
    profile.write_text(f"name: it\nattach: exec\ncommand: [\"{programs('waits-for-others')}\", \"{tmp_path / 'begun'}\"]\n")
    done = bootjack("run", tmp_path / "s", "--client", profile, "--json", "--no-canary", "-j", "2", "--limit", "60")
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["pass"] * 20


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_fail_fast_stops_at_the_first_failure(jobs, scenario, programs, tmp_path):
    for i in range(9):
        text = BOOTSTRAP if i < 2 else BOOTSTRAP.replace("path: /bs", "path: /elsewhere")
        scenario(text, f"s/{i}.yaml")
    arguments = ["run", tmp_path / "s", "--client", f"exec:{programs('asks')}", "--json", "-j", jobs]
    whole, cut = bootjack(*arguments), bootjack(*arguments, "--fail-fast")
    verdicts = [[json.loads(line)["verdict"] for line in done.stdout.splitlines()] for done in (whole, cut)]
    assert verdicts[0] == ["pass"] * 2 + ["fail"] * 7
    assert verdicts[1] == ["pass", "pass", "fail"]
    assert whole.returncode == cut.returncode == FAILED


def test_a_part_of_a_run_is_called_so(scenario, programs, tmp_path):
    for i in range(5):
        scenario(BOOTSTRAP if i < 2 else BOOTSTRAP.replace("path: /bs", "path: /elsewhere"), f"s/{i}.yaml")
    done = bootjack("run", tmp_path / "s", "--client", f"exec:{programs('asks')}", "--fail-fast", "--report", tmp_path / "report")
    assert "2 passed, 1 failed, 2 not run (" in done.stdout
    row = {"not_run": 2, "why": "stopped at the first that failed"}
    assert json.loads((tmp_path / "report/results.jsonl").read_text().splitlines()[-1]) == row
    assert json.loads((tmp_path / "report/results.json").read_text())["not_run"] == [row]
    assert "2 scenarios were not run, stopped at the first that failed" in (tmp_path / "report/index.html").read_text()
    cases = list(xml.etree.ElementTree.parse(tmp_path / "report/junit.xml").iter("testcase"))
    assert [case.get("name") for case in cases][3:] == ["2 scenarios were not run"]
    assert cases[3].find("skipped").get("message") == row["why"]
    again = bootjack("report", tmp_path / "report/results.json", "-o", tmp_path / "again", "--list")
    assert ", 2 not run;" in again.stdout


def test_what_an_interruption_leaves_is_an_error(scenario, programs, tmp_path):
    program = programs("sleeps-by-itself", "gcc", "-DFOR=2")
    paths = [scenario(), scenario(BOOTSTRAP, "z.yaml")]
    command = [api.find_bootjack(), "run", *paths, "--client", f"exec:{program}", "--no-canary", "--limit", "60", "--junit", tmp_path / "j.xml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert wait_for(lambda: processes_of(program))
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=20)
    assert "0 passed, 0 failed, 2 not run (" in said
    case, = xml.etree.ElementTree.parse(tmp_path / "j.xml").iter("testcase")
    assert case.find("error").get("message") == "interrupted by signal 15"


def test_the_same_seed_gives_the_same_log(scenario, programs, tmp_path):
    path = scenario()
    logs = []
    for i in range(2):
        file = tmp_path / f"{i}.jsonl"
        bootjack("run", path, "--client", f"exec:{programs('asks')}", "--seed", "7", "--log", file)
        logs.append(file.read_bytes())
    assert logs[0] == logs[1]


# --- interruption -------------------------------------------------------------------------------------------------


def processes_of(program):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(program):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_client_is_left_behind(number, scenario, programs):
    program = programs("sleeps-by-itself", "gcc", f"-DFOR={number}")
    command = [api.find_bootjack(), "run", scenario(), "--client", f"exec:{program}", "--no-canary", "--limit", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert wait_for(lambda: processes_of(program))
        running.send_signal(number)
        _, errors = running.communicate(timeout=20)
    assert wait_for(lambda: not processes_of(program))
    if number == signal.SIGINT:
        assert running.returncode == COULD_NOT_RUN
        assert "interrupted" in errors


def test_help_lists_every_placeholder_that_a_profile_uses():
    known = set(re.findall(r"\{\w+\}", bootjack("run", "--help").stdout)) | {"{profiledir}"}
    used = {name for profile in (api.ROOT / "harness/clients").glob("*.yaml") for line in profile.read_text().splitlines()
            if "command" in line or line.lstrip().startswith(("-", '"', "'")) for name in re.findall(r"\{[a-z_]+\}", line)}
    assert used and used <= known


def test_what_is_sent_without_waiting_ends_its_step_when_it_is_sent(tmp_path):
    """`at` of the next step counts from then, and not from when the step before began."""
    file = tmp_path / "a.yaml"
    file.write_text("""
title: A server sends twice, and awaits one answer
client: {bootstrap: {uri: "coap://bs.example", holdoff: 1s}}
network: {latency: 1ms}
steps:
  - request: {to: bs, method: POST, path: /bs}
  - respond: 2.04
  - delete: {path: /1, wait: false, at: 10s}
  - discover: {path: /, expect: 2.05, at: 5s}
""")
    said = api.call("run", file, "-v").stdout
    deleted, discovered = (float(re.search(rf"(\d+\.\d+)  bs -> client: CON {what}", said)[1]) for what in ("DELETE /1", "GET /"))
    assert discovered - deleted == pytest.approx(5, abs=0.002)
