"""The demo's temporary folder: locked in use, removed at the end, swept later if the demo was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "topscoop-demo-"
_LOCK = "lock"


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A new folder below `parent` that only this user can read; gone with all its content at the end.

    Folders of demos that were killed (`kill -9`, power) are removed on the way: their lock is free.
    """
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _take_lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(lock)


def shared_memory_or(fallback: Path) -> Path:
    """Where mapped pictures never touch a disk, if this machine has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it has a random name and mode 0700
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else fallback


def _take_lock(folder: Path) -> int:
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        lock = folder / _LOCK
        # Without a lock file it may be a moment old and about to be locked; somebody else's stays too.
        if not lock.is_file() or folder.stat().st_uid != os.getuid():
            continue
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its demo runs
        else:
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)
