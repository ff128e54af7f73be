# SPDX-License-Identifier: Apache-2.0
"""The client as its users get it: built alone, installed, moved, and used through pkg-config and as a CMake package.
The examples are built from nothing but the installed tree, and talk to servers on the loopback."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from harness.pytest_bootjack import api

EXAMPLES = api.ROOT / "client" / "examples"
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wpedantic"]
CONSUMER = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(bootjack 0.1 REQUIRED)
add_executable(with_static {examples}/{name}.c)
target_link_libraries(with_static PRIVATE bootjack::client)
add_executable(with_shared {examples}/{name}.c)
target_link_libraries(with_shared PRIVATE bootjack::client_shared)
"""
POST, DELETE, CREATED, DELETED, CHANGED = 2, 4, 0x41, 0x42, 0x44


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def install(folder, *options):
    """Configures, builds and installs the client alone; the tree is moved afterwards."""
    run("cmake", "-S", api.ROOT, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
        "-DBOOTJACK_CLIENT_ONLY=ON", "-DBUILD_TESTING=OFF", *options)
    run("cmake", "--build", folder / "build")
    run("cmake", "--install", folder / "build", "--prefix", folder / "first")
    (folder / "first").rename(folder / "moved")
    shutil.rmtree(folder / "build")
    return folder / "moved"


def with_pkg_config(tree, name, out, static):
    [file] = tree.glob("lib*/**/bootjack-client.pc")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(file.parent)}
    flags = run("pkg-config", "--cflags", "--libs", *["--static"] * static, "bootjack-client", env=environment).split()
    if static:
        flags = ["-l:libbootjack_client.a" if flag == "-lbootjack_client" else flag for flag in flags]
    run("cc", *FLAGS, EXAMPLES / f"{name}.c", "-o", out, *flags, f"-Wl,-rpath,{file.parent.parent}")
    return out


def with_cmake(tree, name, folder):
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(CONSUMER.format(examples=EXAMPLES, name=name))
    run("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={tree}")
    run("cmake", "--build", folder / "build")
    return [folder / "build" / "with_static", folder / "build" / "with_shared"]


class Server(threading.Thread):
    """An LwM2M Server that says yes to everything; `came` is set when a request of that code arrived."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.uri = "coap://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.came = {POST: threading.Event(), DELETE: threading.Event()}
        self.first = b""
        self.start()

    def run(self):
        answers = {POST: (CREATED, b"\x82rd\x011"), DELETE: (DELETED, b"")}
        while True:
            message, peer = self.socket.recvfrom(2000)
            token = message[0] & 15
            if message[1] in answers:
                self.first = self.first or message
                code, options = answers[message[1]]
                self.socket.sendto(bytes([0x60 | token, code]) + message[2:4 + token] + options, peer)
                self.came[message[1]].set()


def registers(program, *more):
    """Runs a client until its first request came; what that was."""
    server = Server()
    words = [word.replace("URI", server.uri) for word in more]
    with subprocess.Popen([program, *words], stderr=subprocess.PIPE, text=True) as client:
        try:
            assert server.came[POST].wait(20), "nothing came"
        finally:
            client.send_signal(signal.SIGTERM)
            client.communicate(timeout=20)
    return server, client.returncode


def test_examples_are_built_from_the_installed_tree(tmp_path):
    tree = install(tmp_path)
    for name, sign in ("mandatory_objects", b"\xb2rd"), ("bootstrap", b"\xb2bs"):
        programs = [with_pkg_config(tree, name, tmp_path / f"{name}-{static}", static) for static in (False, True)]
        programs += with_cmake(tree, name, tmp_path / name)
        for program in programs:
            assert subprocess.run([program], capture_output=True, check=False).returncode == 64
        for program in programs[:2]:
            server, _ = registers(program, "dev-9", "URI")
            assert sign in server.first and b"ep=dev-9" in server.first
    assert "bootjack-client" in run(tree / "bin" / "bootjack-client", "--version")


def test_without_the_bootstrap_interface_it_still_registers(tmp_path):
    tree = install(tmp_path, "-DBOOTJACK_WITH_BOOTSTRAP=OFF")
    program = tree / "bin" / "bootjack-client"
    state = tmp_path / "state"
    server, status = registers(program, "--server", "URI", "--state", str(state))
    assert b"\xb2rd" in server.first
    assert server.came[DELETE].wait(5) and status == 0, "de-registered"
    example = with_pkg_config(tree, "mandatory_objects", tmp_path / "example", True)
    assert b"\xb2rd" in registers(example, "dev-9", "URI")[0].first
    names = run("nm", "-D", "--defined-only", "-C", next(tree.glob("lib*/**/libbootjack_client.so")))
    assert "bootjack_client_run" in names and "bjc_" not in names


@pytest.mark.parametrize("header", sorted(path.name for path in (api.ROOT / "client/include/bootjack").iterdir()))
def test_headers_stand_alone(header, tmp_path):
    source = tmp_path / "one.c"
    source.write_text(f'#include <bootjack/{header}>\n#include <bootjack/{header}>\nint main(void) {{ return 0; }}\n')
    run("cc", *FLAGS, "-fsyntax-only", f"-I{pathlib.Path(api.ROOT) / 'client/include'}", source)
