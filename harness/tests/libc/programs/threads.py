# SPDX-License-Identifier: Apache-2.0
"""CPython's ways to wait and to be many: threads, queues, events, executors, asyncio, signals, sub-processes. Checks its
own clocks; knows nothing of the simulated world."""
import asyncio
import concurrent.futures
import os
import queue
import secrets
import signal
import socket
import subprocess
import threading
import time

REQUEST = b"\x40\x01\x12\x34\xb5hello"
began = time.monotonic()


def at(expected):
    """Is it that many seconds after the start? Polling costs a little."""
    assert expected <= time.monotonic() - began < expected + 0.1, (time.monotonic() - began, expected)


def threads_and_queues():
    done = queue.Queue()

    def worker(seconds):
        for turn in range(3):
            time.sleep(seconds)
            done.put((seconds, turn))

    workers = [threading.Thread(target=worker, args=(seconds,)) for seconds in (1, 2, 3)]
    for thread in workers:
        thread.start()
    order = [done.get(timeout=20) for _ in range(9)]
    for thread in workers:
        thread.join()
    at(9)
    assert order[0] == (1, 0) and order[-1] == (3, 2), order


def events_and_executors():
    event = threading.Event()
    threading.Timer(5, event.set).start()
    assert not event.wait(2)
    at(11)
    assert event.wait()
    at(14)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda n: time.sleep(n % 3) or n, range(8))) == list(range(8))


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    start = time.monotonic()
    time.sleep(3)
    assert len(seen) == 1 and 1.5 <= seen[0] - start < 1.6 and 3 <= time.monotonic() - start < 3.1


def processes():
    try:
        subprocess.run(["true"], check=True)
    except BlockingIOError:
        print("no children")
    assert os.system("exit 3") == 3 << 8


def streams_within_the_host():
    with socket.create_server(("127.0.0.1", 8000)) as server:
        with socket.create_connection(("127.0.0.1", 8000)) as client, server.accept()[0] as accepted:
            client.sendall(b"x" * 30000)
            client.shutdown(socket.SHUT_WR)
            assert len(accepted.makefile("rb").read()) == 30000


class Conversation(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        transport.sendto(REQUEST)

    def datagram_received(self, data, addr):
        self.answer.set_result(data)


async def coroutines():
    loop = asyncio.get_running_loop()
    start = time.monotonic()
    await asyncio.gather(asyncio.sleep(3), loop.run_in_executor(None, time.sleep, 2))
    assert 3 <= time.monotonic() - start < 3.1
    answer = loop.create_future()
    await loop.create_datagram_endpoint(lambda: Conversation(answer), remote_addr=("bs.example", 5683))
    data = await asyncio.wait_for(answer, 10)
    assert 5.5 <= time.monotonic() - start < 5.6
    print(data[data.index(0xFF) + 1:].decode())


threads_and_queues()
events_and_executors()
signals()
processes()
streams_within_the_host()
asyncio.run(coroutines())
print("random", secrets.token_hex(8), hash("text"))
