"""The agent's folder: one agent per folder, its journal, and the key of its receipts."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.adapters.durable import write_durably
from edge_agent.errors import DataFolderBusyError, DataFolderError
from edge_agent.outcomes import RECEIPT_KEY_BYTES
from edge_agent.ports import Randomness

_OWNER_ONLY = 0o700
_OWNER_FILE = 0o600
_LOCK_FILE = "agent.lock"


class DataFolder:
    """A folder that this process alone may write to, until `close` or the end of the process.

    Args:
        path: Made if it is not there, readable by its owner only.
        randomness: For the receipt key of a new folder.

    Raises:
        DataFolderBusyError: Another agent runs on it.
        DataFolderError: It cannot be made or written to.
    """

    def __init__(self, path: Path, randomness: Randomness) -> None:
        self.path = path
        self.journal_path = path / "journal.db"
        try:
            path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            self._lock = _lock(path / _LOCK_FILE)
        except OSError as error:
            remedy = "Set `data_dir` to a folder that the agent's user may write to."
            raise _unusable(path, error, remedy) from error
        try:
            self.receipt_key = _receipt_key(path / "receipt.key", randomness)
        except OSError as error:
            self.close()
            raise DataFolderError(
                f"{path / 'receipt.key'}: {error.strerror}",
                remedy="Free some space, or give the file back to the agent's user, and start again.",
            ) from error

    def close(self) -> None:
        """Let another agent use the folder; may be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep agents from a data folder that is there, while a command changes its files.

    Raises:
        DataFolderBusyError: An agent runs on it, or is starting.
        DataFolderError: It is another user's.
    """
    try:
        lock = _lock(path / _LOCK_FILE)
    except OSError as error:
        raise _unusable(path, error, "Run this as the agent's user.") from error
    try:
        yield
    finally:
        os.close(lock)


def _unusable(path: Path, error: OSError, remedy: str) -> DataFolderError:
    return DataFolderError(f"{path}: cannot be used as data folder: {error.strerror}", remedy=remedy)


def _lock(path: Path) -> int:
    """Hold a lock on this file; the kernel lets it go with the process, however it ends.

    The file stays when the agent ends: removing it would let two agents lock two files of one name.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise DataFolderBusyError(
            f"{path.parent}: another agent (process {holder}) runs on this data folder",
            remedy="Stop that one, or give this agent a `data_dir` of its own.",
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    _write_pid(descriptor)
    return descriptor


def _write_pid(descriptor: int) -> None:
    """Tell the next one who holds the lock; only a help, so a full disk may prevent it."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        os.ftruncate(descriptor, 0)


def _receipt_key(path: Path, randomness: Randomness) -> bytes:
    """The register's key, made at the first start; a file of another length is no key and is replaced."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) == RECEIPT_KEY_BYTES:
        return key
    key = randomness(RECEIPT_KEY_BYTES)
    write_durably(path, key)
    return key
