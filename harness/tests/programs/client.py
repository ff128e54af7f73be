# SPDX-License-Identifier: Apache-2.0
"""A small network program on CPython's standard library: one request, waited for with the selector that is named, while
a second thread sleeps. Checks by its own clocks what it sees. It knows nothing of the simulated world."""
import selectors
import socket
import sys
import threading
import time

SLEEP = 5.0


def about(seconds, expected):
    assert expected <= seconds < expected + 0.1, (seconds, expected)


def main():
    begin, wall = time.monotonic(), time.time()
    sleeper = threading.Thread(target=time.sleep, args=(SLEEP,))
    sleeper.start()
    family, kind, _, _, address = socket.getaddrinfo("bs.example", 5683, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as peer, getattr(selectors, sys.argv[1])() as selector:
        peer.setblocking(False)
        peer.connect(address)
        peer.send(b"\x41\x01\x12\x34\x55\xb2py")  # CON GET /py
        selector.register(peer, selectors.EVENT_READ)
        assert selector.select(1.0) == []
        about(time.monotonic() - begin, 1.0)
        (key, events), = selector.select()
        about(time.monotonic() - begin, 2.5)
        assert key.fileobj is peer and events == selectors.EVENT_READ
        answer = peer.recv(1500)
        assert answer[1] == 0x45 and answer[2:4] == b"\x12\x34", answer
    print(sys.argv[1], answer[answer.index(0xFF) + 1:].decode())
    sleeper.join()
    about(time.monotonic() - begin, SLEEP)
    about(time.time() - wall, SLEEP)


main()
