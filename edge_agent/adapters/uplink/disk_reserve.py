"""Disk space that is kept back for the small lanes: a file that makes room by going away."""

import os
from pathlib import Path

RESERVE_BYTES = 12 << 20
"""More than the spool's log, which can only be emptied into a file that has room to grow."""


class DiskReserve:
    """A file of `size` bytes at `path`, while the disk has room for it."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

    def keep(self) -> bool:
        """Take the space (again); whether it is there now."""
        if self._path.exists() and self._path.stat().st_size == self._size:
            return True
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
        return True

    def give_up(self) -> bool:
        """Make the room; whether there was any to make."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
