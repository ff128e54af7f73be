# SPDX-License-Identifier: Apache-2.0
"""A real Bootstrap-Server under load and under clients that misbehave: our own clients bootstrap and register all at once, then
one after the other does what no client should, and what the server does is told. Real time passes.

Exit status: 0 all clients registered and nothing is wrong, 1 something is, 2 it cannot be run or nobody answers, 64 wrong usage."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from . import misfits

SCHEMES = ("coap", "coaps", "coap+tcp", "coaps+tcp")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"{self.prog}: {message} (see --help)", file=sys.stderr)
        sys.exit(64)


def whole(least, most):
    def number(text):
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is wanted, not '{text}'")
        return int(text)
    return number


def octets(text):
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if not data:
        raise argparse.ArgumentTypeError(f"pairs of hexadecimal digits are wanted, not '{text}'")
    return data


def named_kinds(text):
    kinds = {"all": list(misfits.KINDS), "none": []}.get(text, text.split(","))
    wrong = [kind for kind in kinds if kind not in misfits.KINDS]
    if wrong:
        raise argparse.ArgumentTypeError(f"'{wrong[0]}' is none of {', '.join(misfits.KINDS)}, all, none")
    return kinds


def server_uri(text):
    parts = urllib.parse.urlsplit(text)
    try:
        fine = parts.scheme in SCHEMES and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"'{text}' is no URI of a Bootstrap-Server ({', '.join(SCHEMES)})")
    return text


def parse(arguments):
    kinds = "\n".join(f"  {name:<20} {text}" for name, text in misfits.KINDS.items())
    parser = Parser(prog=os.environ.get("BOOTJACK_COMMAND", "bootjack bench-server"), description=__doc__,
                    epilog=f"ways to misbehave (over coap, and over coaps with --identity and --key):\n{kinds}", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uri", type=server_uri, metavar="URI", help="of the Bootstrap-Server")
    parser.add_argument("--clients", type=whole(0, 500), default=10, metavar="N", help="that behave, all at once (10)")
    parser.add_argument("--endpoint", default="bench", metavar="NAME", help="their names are NAME-1, ...; the others' NAME-KIND (bench)")
    parser.add_argument("--identity", type=octets, metavar="HEX", help="pre-shared key's identity, the same for all")
    parser.add_argument("--key", type=octets, metavar="HEX", help="the pre-shared key")
    parser.add_argument("--misbehave", type=named_kinds, default="all", metavar="LIST", help="all, none, or some of those below (all)")
    parser.add_argument("--seconds", type=whole(1, 3600), default=20, metavar="N", help="for each session, and for all the clients (20)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="everything that was seen")
    return parser.parse_args(arguments)


# --- load -------------------------------------------------------------------------------------------------------------

def client_program():
    return pathlib.Path(os.environ["BOOTJACK_BIN"] if "BOOTJACK_BIN" in os.environ else "build/release/bin") / "bootjack-client"


def start(options, number, log):
    secrets = ["--bootstrap-identity", options.identity.hex(), "--bootstrap-key", options.key.hex()] if options.identity and options.key else []
    command = [client_program(), "--endpoint", f"{options.endpoint}-{number}", "--bootstrap", options.uri, "--holdoff", "1", *secrets]
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)


def load(options):
    """Seconds until each of our clients was registered; None: it was not."""
    done = [None] * options.clients
    with tempfile.TemporaryDirectory() as folder:
        logs = [pathlib.Path(folder) / str(number) for number in range(options.clients)]
        begin = time.monotonic()
        processes = []
        for number, path in enumerate(logs):
            with path.open("wb") as log:
                processes.append(start(options, number + 1, log))
        while None in done and time.monotonic() < begin + options.seconds:
            time.sleep(0.02)
            for number, path in enumerate(logs):
                if done[number] is None and re.search(rb"-> registered\b", path.read_bytes()):
                    done[number] = time.monotonic() - begin
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return done


def tell_load(options, times):
    taken = sorted(time for time in times if time is not None)
    print(f"clients: {len(taken)} of {options.clients} bootstrapped and registered", end="")
    if taken:
        print(f", after {taken[0]:.1f} s to {taken[-1]:.1f} s, {statistics.median(taken):.1f} s in the middle (their hold-off of 1 s included)", end="")
    print()


# --- misbehaviour -----------------------------------------------------------------------------------------------------

def connector(options):
    """What makes a connection for one session; None, which was said why: misbehaviour cannot be played over it."""
    uri = urllib.parse.urlsplit(options.uri)
    if uri.scheme == "coap":
        address = misfits.look_up(uri.hostname, uri.port or 5683)
        return lambda: misfits.Clear(address)
    if uri.scheme == "coaps" and options.identity:
        address = misfits.look_up(uri.hostname, uri.port or 5684)
        return lambda: misfits.Secure(address, options.identity, options.key)
    why = "over coaps with --identity and --key" if uri.scheme == "coaps" else f"over coap and coaps, and not over {uri.scheme}"
    print(f"misbehaviour: skipped: it is played {why}")
    return None


def misbehave(options):
    seen = []
    connect = connector(options) if options.misbehave else None
    if not connect:
        return seen
    for kind in options.misbehave:
        one = misfits.try_kind(connect, f"{options.endpoint}-{kind}", kind, options.seconds)
        seen.append(one)
        print(f"{kind} ({misfits.KINDS[kind]}): {one.story()}")
        for problem in one.problems():
            print(f"  wrong: {problem}")
        sys.stdout.flush()
    return seen


def write_json(path, options, times, seen):
    sessions = [{"kind": one.kind, "answers": one.answers, "finished": one.finished, "again": one.again, "problems": one.problems(),
                 "handshake": one.handshake,
                 "commands": [{"name": c.name, "confirmable": c.confirmable, "times": [t - c.times[0] for t in c.times]} for c in one.commands]}
                for one in seen]
    path.write_text(json.dumps({"uri": options.uri, "clients": times, "sessions": sessions}, indent=1) + "\n", encoding="utf-8")


def main(arguments):
    options = parse(arguments)
    if bool(options.identity) != bool(options.key):
        print("bootjack bench-server: --identity and --key go together", file=sys.stderr)
        return 64
    try:
        times = load(options)
        tell_load(options, times)
        seen = misbehave(options)
        if options.json:
            write_json(options.json, options, times, seen)
    except OSError as problem:
        print(f"bootjack bench-server: {problem}", file=sys.stderr)
        return 2
    if not any(time is not None for time in times) and not any(one.answers for one in seen):
        print(f"bootjack bench-server: nobody answers at {options.uri}", file=sys.stderr)
        return 2
    return 1 if None in times or any(one.problems() for one in seen) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
