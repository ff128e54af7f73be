# SPDX-License-Identifier: Apache-2.0
"""Servers that none of us wrote, on loopback and in real time: each on a port of its own, known to listen before it is
used, ended when its test ends. What a program says is read as it comes; nothing here waits for a time to pass."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

LIMIT_S = 90  # a condition that has not come by then will not come


class Program:
    """A process whose output is read as it comes."""

    def __init__(self, command, stdin=subprocess.DEVNULL):
        if not shutil.which(command[0]):
            pytest.skip(f"{command[0]} is not installed (ci/setup does)")
        self.said = b""
        self.changed = threading.Condition()
        self.process = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while chunk := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.said += chunk
                self.changed.notify_all()

    def wait(self, text, times=1):
        """Until it has said that so many times."""
        wanted = text.encode() if isinstance(text, str) else text
        with self.changed:
            assert self.changed.wait_for(lambda: self.said.count(wanted) >= times, LIMIT_S), self.story(text)

    def says(self, text):
        with self.changed:
            return (text.encode() if isinstance(text, str) else text) in self.said

    def story(self, wanted=""):
        return f"{wanted!r} was awaited from {self.process.args}, which said:\n{self.said.decode(errors='replace')}"

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.reader.join()


def sockets_of(pid):
    """Inodes of the sockets that a process holds."""
    found = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:  # closed since
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def listens(pid, port, stream):
    """Whether the process has that port open: UDP bound, TCP listening."""
    owned = sockets_of(pid)
    for table in (("tcp", "tcp6") if stream else ("udp", "udp6")):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].split(":")[1], 16) == port and fields[9] in owned and (not stream or fields[3] == "0A"):
                return True
    return False


def free_port(neighbours=1):
    """The first of so many ports in a row that nobody has, neither UDP nor TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for offset in range(neighbours):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)[: 1 if offset == 0 else 2]:
                        with socket.socket(socket.AF_INET, kind) as other:
                            other.bind(("127.0.0.1", port + offset))
            except (OSError, OverflowError):
                continue
            return port


class Server(Program):
    """A server whose command is made for a port. Somebody else may take the port first: then there is another one."""

    def __init__(self, make_command, stream, neighbours=1, stdin=subprocess.DEVNULL):
        while True:
            first = free_port(neighbours)
            self.port = first + neighbours - 1
            super().__init__(make_command(first), stdin)
            if self._listening(stream):
                return
            assert self.says("in use") or self.says("bind"), self.story("a port")
            self.end()

    def _listening(self, stream):
        """Until it listens; False: it has ended."""
        limit = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            if listens(self.process.pid, self.port, stream):
                return True
            assert time.monotonic() < limit, self.story("listening")
            with self.changed:
                self.changed.wait(0.01)
        return False


class Terminal(Server):
    """openssl s_server: what the peer says comes out as it is, what is written goes to the peer, a record a write."""

    def __init__(self, make_command, stream):
        super().__init__(make_command, stream, stdin=subprocess.PIPE)
        self.taken = 0

    def say(self, data):
        os.write(self.process.stdin.fileno(), data)

    def hear(self, complete):
        """The next message: as soon as `complete` gives its length for what has come."""
        with self.changed:
            assert self.changed.wait_for(lambda: complete(self.said[self.taken:]), LIMIT_S), self.story("a message")
            length = complete(self.said[self.taken:])
            message = self.said[self.taken:self.taken + length]
            self.taken += length
            return message
