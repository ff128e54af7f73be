# SPDX-License-Identifier: Apache-2.0
"""A container that forbids personality(2) and namespaces, as a seccomp filter does: runs go on, and say what is missing."""
import ctypes
import platform
import struct
import subprocess

import pytest

from harness.pytest_bootjack import api

# Numbers of the system calls: personality, unshare.
FORBIDDEN = {"x86_64": (135, 272), "aarch64": (92, 97)}.get(platform.machine())
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: a word of seccomp_data, jump if equal, the end
ALLOWED, REFUSED = 0x7FFF0000, 0x00050001  # linux/seccomp.h: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM
GOOD = api.ROOT / "scenarios/good/first-bootstrap.yaml"

pytestmark = pytest.mark.skipif(FORBIDDEN is None, reason="the numbers of this machine's system calls are not known here")


def confine():
    """In the child, before it becomes the program."""
    code = [(LOAD, 0, 0, 0)]
    for number in FORBIDDEN:
        code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSED)]
    code += [(RETURN, 0, 0, ALLOWED)]
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = struct.pack("H6xP", len(code), ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def run(client, *options):
    return subprocess.run([api.find_bootjack(), "run", GOOD, "--client", client, *options], capture_output=True, text=True,
                          timeout=120, check=False, preexec_fn=confine)  # noqa: PLW1509 (no threads here)


def test_without_fixed_addresses_it_runs_and_says_so():
    done = run("bootjack-client", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "personality: Operation not permitted" in done.stderr
    assert "its addresses are drawn anew in each run, for personality(2) is forbidden here" in done.stdout


def test_a_client_that_starts_again_does_so_all_the_same():
    again = api.ROOT / "scenarios/life/registers-after-a-stop.yaml"
    done = subprocess.run([api.find_bootjack(), "run", again, "--client", "bootjack-client"], capture_output=True, text=True,
                          timeout=120, check=False, preexec_fn=confine)  # noqa: PLW1509
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_namespaces_the_network_is_shared_and_it_says_so():
    done = run(str(api.ROOT / "harness/tests/clients/bootjack-client-network.yaml"), "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "this run shares the machine's network: Operation not permitted" in done.stdout


def test_where_nothing_is_forbidden_nothing_is_said():
    done = subprocess.run([api.find_bootjack(), "run", GOOD, "--client", "bootjack-client", "-v"], capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0 and "personality" not in done.stdout + done.stderr
