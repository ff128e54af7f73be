# SPDX-License-Identifier: Apache-2.0
"""Folders of which one process at a time has hold. With nothing but Python's own library: machines that fuzz have no other."""
import contextlib
import fcntl
import pathlib
from typing import Iterator


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """One process at a time builds in the folder, which is made: the others wait. ci/build waits for the same lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
