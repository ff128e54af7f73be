# SPDX-License-Identifier: Apache-2.0
"""keeper.py careful|careless|overwrites|unfinished FILE: keeps a number in a file, and tells it to a server: 1 after its first start, 2
after that, ... Careful programs replace the file as a whole and sync it; the others leave something out."""
import os
import socket
import sys

how, path = sys.argv[1:]
os.closerange(3, 1024)  # as a daemon does, with whatever it may have inherited


def replace(text, synced):
    with open(path + ".new", "w") as new:
        new.write(text)
        new.flush()
        if synced:
            os.fsync(new.fileno())
    os.rename(path + ".new", path)


def sync_directory():
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def tell(number):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        sock.settimeout(5)
        sock.sendto(b"\x50\x01" + os.urandom(2) + b"\xb1" + str(number).encode(), ("mgmt.example", 5683))
        try:
            return sock.recv(1500)
        except socket.timeout:
            pass


number = int(open(path).read()) if os.path.exists(path) else 0
text = f"{number + 1:020}"
if how == "overwrites":
    with open(path, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
else:
    replace(text, how != "careless")
if how != "unfinished":
    sync_directory()
tell(number + 1)
while True:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).recv(1)
