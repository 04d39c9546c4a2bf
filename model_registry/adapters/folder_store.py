"""A release repository in a folder, which a web server may serve as it is."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model_registry.errors import AlreadyThere, ChangedMeanwhile, StoreAway, StoreFileMissing
from model_registry.releases.ports import FILE_MAX_BYTES

_READABLE = 0o644
"""What is here is signed and public to the chain's registers; a web server of another user may serve it."""


class FolderStore:
    """`<folder>/metadata` and `<folder>/targets` of one chain."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, path: str) -> bytes:
        """As the port says."""
        with _translated(path):
            try:
                with (self._folder / path).open("rb") as file:
                    return file.read(FILE_MAX_BYTES + 1)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise StoreFileMissing(f"the repository has no {path}") from error

    def put_new(self, path: str, content: bytes) -> None:
        """As the port says."""
        target = self._folder / path
        with _translated(path), self._written(target, content) as made:
            try:
                # Unlike a rename, a link never takes the place of what is there.
                os.link(made, target)
            except FileExistsError:
                if self.get(path) != content:
                    raise AlreadyThere(f"{path} exists with other content") from None
            _sync(target.parent)

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """As the port says."""
        target = self._folder / path
        with _translated(path), self._locked():
            found = target.read_bytes() if target.exists() else None
            if found != expected:
                raise ChangedMeanwhile(f"{path} was replaced by somebody else meanwhile")
            with self._written(target, content) as made:
                made.rename(target)
                _sync(target.parent)

    def names(self, folder: str) -> frozenset[str]:
        """As the port says."""
        place = self._folder / folder
        with _translated(folder):
            if not place.is_dir():
                return frozenset()
            return frozenset(f"{folder}/{one.name}" for one in place.iterdir() if one.is_file())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        _make_folder(self._folder)
        with (self._folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _written(self, target: Path, content: bytes) -> Iterator[Path]:
        """A durable file outside of what is served, gone afterwards unless it was renamed."""
        staging = self._folder / ".staging"
        for folder in (staging, target.parent):
            _make_folder(folder)
        handle, name = tempfile.mkstemp(dir=staging)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123 - a handle, not a path
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), _READABLE)
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable in the one that holds it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreAway(
            f"{path}: {(error.strerror or str(error)).lower()}",
            remedy="Check that the folder of the releases is there, has room, and may be written.",
        ) from error
