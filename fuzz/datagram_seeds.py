# SPDX-License-Identifier: Apache-2.0
"""Seeds of the target `datagrams`: what the servers of all scenarios send, as pieces of its input (fuzz/session_inputs.h), for
every state of the client. `python3 -m fuzz.datagram_seeds FOLDER` writes them; `fuzz_datagrams -set_cover_merge=1
corpus/datagrams FOLDER` keeps those that count."""
import hashlib
import pathlib
import sys

from harness.pytest_bootjack import api

STATES, PIECES, LONGEST = 9, 24, 255


def pieces(result):
    """What servers sent in one run, a piece each."""
    for event in result.of_kind("sent"):
        raw = bytes.fromhex(event.get("raw", ""))
        if event["actor"] >= 3 and 0 < len(raw) <= LONGEST:
            mgmt = 4 if event["actor"] >= 4 else 0
            yield bytes([mgmt, len(raw)]) + raw


def answers(result):
    """The same responses as answers: code, which Content-Format (0: text), payload."""
    formats = [0, 40, 42, 60, 110, 112, 11542, 11543, 11544, 1542]
    for event in result.of_kind("sent"):
        coap = event.get("coap") or {}
        raw = bytes.fromhex(event.get("raw", ""))
        if event["actor"] >= 3 and len(raw) > 4 and raw[1] >= 0x40:
            number = coap.get("content-format")
            at = formats.index(number) if number in formats else 255
            payload = raw[raw.index(b"\xff") + 1:] if b"\xff" in raw else b""
            body = bytes([raw[1], at]) + payload[:LONGEST - 2]
            yield bytes([2, len(body)]) + body


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for result in api.run_scenarios([api.ROOT / "scenarios"], seed=1, events=True, options=["--no-canary", "-j", "2"]):
        for kind in (pieces, answers):
            body = b"".join(list(kind(result))[:PIECES])
            for state in range(STATES if body else 0):
                seed = bytes([state]) + body
                (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    print(f"{len(list(folder.iterdir()))} seeds in {folder}")


if __name__ == "__main__":
    main()
