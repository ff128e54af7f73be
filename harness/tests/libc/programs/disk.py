# SPDX-License-Identifier: Apache-2.0
"""A program that knows nothing of the simulated disk: files, directories and a database below it, then one request."""
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import tempfile

root = pathlib.Path("/bootjack-disk")

# Files: text, binary, replacing one as a whole.
(root / "state.json").write_text(json.dumps({"life": 1}))
with open(root / "state.new", "w") as new:
    json.dump({"life": 2}, new)
    new.flush()
    os.fsync(new.fileno())
os.replace(root / "state.new", root / "state.json")
directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
os.fsync(directory)
os.close(directory)
print("state", json.loads((root / "state.json").read_bytes()))

# Directories.
(root / "a" / "b").mkdir(parents=True)
(root / "a" / "b" / "f").write_bytes(bytes(range(256)) * 100)
print("walk", [(str(path), sorted(folders), sorted(files)) for path, folders, files in os.walk(root)])
shutil.copy(root / "a" / "b" / "f", root / "copy")
print("copy", (root / "copy").stat().st_size, (root / "copy").read_bytes() == (root / "a" / "b" / "f").read_bytes())
shutil.rmtree(root / "a")
with tempfile.NamedTemporaryFile(dir=root) as temporary:
    temporary.write(b"x")
print("left", sorted(os.listdir(root)), [entry.name for entry in os.scandir(root) if entry.is_dir()])
try:
    os.rename(root / "copy", "/tmp/bootjack-copy")
except OSError as error:
    print("rename", error.strerror)

# A database: locks, its journal beside it, a transaction that is rolled back.
with sqlite3.connect(root / "data.db") as database:
    database.execute("create table accounts (ssid integer primary key, uri text)")
    database.executemany("insert into accounts values (?, ?)", [(n, f"coap://server-{n}.example") for n in range(500)])
database.execute("delete from accounts")
database.rollback()
database.close()
database = sqlite3.connect(root / "data.db")
print("database", database.execute("select count(*), max(uri) from accounts").fetchone(),
      database.execute("pragma integrity_check").fetchone())
database.close()
print("files", sorted(os.listdir(root)))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.sendto(b"\x40\x01\x12\x34\xb5hello", ("bs.example", 5683))
print(sock.recv(1500)[-21:].decode())
