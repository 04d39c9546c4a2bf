"""Complete releases and the one in the making, as folders: `Shelf` of the updater's ports.

`releases/` holds complete releases only: a folder comes there by one rename, after all in it was flushed.
`staging/` holds at most one release in the making, `model.onnx.part` among it, which the next errand goes on
with, and `gone/`, which is on its way out.
"""

import fcntl
import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Final

from edge_agent.adapters.durable import sync_file, sync_folder, write_durably
from edge_agent.updater.refusal import Refusal
from wire_protocol.fleet_messages import UpdateReason

LOCK_WITHIN_S: Final = 20.0
_LOCK_PAUSE_S: Final = 0.05
_LOCK: Final = "lock"
_GONE: Final = "gone"
_PART: Final = ".part"


class FolderShelf:
    """Two folders on one file system.

    Args:
        staging: For what is in the making.
        releases: For what is complete.
    """

    def __init__(self, staging: Path, releases: Path) -> None:
        self._staging, self._releases = staging, releases
        self._name = ""
        self._lock = -1

    def open(self, name: str) -> None:
        """As `Shelf.open`; waits for another updater that has not ended yet."""
        for folder in (self._staging, self._releases):
            folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self._name = name
        for left in self._staging.iterdir():
            if left.name not in {_LOCK, name}:
                _remove(left)

    def close(self) -> None:
        """Let another updater begin; may be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def complete(self, name: str, files: dict[str, str], manifest: bytes) -> bool:
        """As `Shelf.complete`."""
        folder = self._releases / name
        try:
            kept = (folder / "manifest.json").read_bytes() == manifest
            return kept and all(_digest(folder / file) == sha256 for file, sha256 in files.items())
        except FileNotFoundError:
            return False

    def has(self, file: str, sha256: str) -> bool:
        """As `Shelf.has`."""
        path = self._folder() / file
        return path.is_file() and _digest(path) == sha256

    def fetched(self, file: str, longest: int) -> int:
        """As `Shelf.fetched`."""
        part = self._folder() / f"{file}{_PART}"
        if not part.exists():
            return 0
        length = part.stat().st_size
        if length > longest:
            part.unlink()
            return 0
        return length

    def append(self, file: str, piece: bytes) -> None:
        """As `Shelf.append`."""
        with (self._folder() / f"{file}{_PART}").open("ab") as part:
            part.write(piece)

    def keep(self, file: str, sha256: str) -> bool:
        """As `Shelf.keep`."""
        part = self._folder() / f"{file}{_PART}"
        if not part.exists():
            part.touch()
        if _digest(part) != sha256:
            part.unlink()
            return False
        part.replace(self._folder() / file)
        return True

    def write(self, file: str, content: bytes) -> None:
        """As `Shelf.write`."""
        write_durably(self._folder() / file, content)

    def place(self) -> str:
        """As `Shelf.place`."""
        return str(self._folder())

    def flush(self) -> None:
        """As `Shelf.flush`."""
        for file in self._folder().iterdir():
            sync_file(file)
        sync_folder(self._folder())

    def clear_place(self) -> None:
        """As `Shelf.clear_place`."""
        place = self._releases / self._name
        if place.exists():
            _remove(self._staging / _GONE)
            place.replace(self._staging / _GONE)

    def move_in(self) -> None:
        """As `Shelf.move_in`."""
        self._folder().replace(self._releases / self._name)

    def flush_releases(self) -> None:
        """As `Shelf.flush_releases`."""
        sync_folder(self._releases)
        sync_folder(self._staging)

    def tidy(self) -> None:
        """As `Shelf.tidy`."""
        for left in self._staging.iterdir():
            if left.name != _LOCK:
                _remove(left)

    def room(self) -> int:
        """As `Shelf.room`."""
        return shutil.disk_usage(self._staging).free

    def _folder(self) -> Path:
        folder = self._staging / self._name
        folder.mkdir(exist_ok=True)
        return folder

    def _take_lock(self) -> None:
        self._lock = os.open(self._staging / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_WITHIN_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    # Nothing of what lies there is ours to touch.
                    raise Refusal(UpdateReason.DISK, "another updater is at work on this register") from error
                time.sleep(_LOCK_PAUSE_S)
            else:
                return


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
