"""The agent's folder: one agent per folder, its journal, and the key of its receipts."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.errors import DataFolderBusyError, DataFolderError
from edge_agent.outcomes import RECEIPT_KEY_BYTES
from edge_agent.ports import Randomness

_OWNER_ONLY = 0o700
_OWNER_FILE = 0o600


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
            self._lock = _lock(path / "agent.lock")
        except OSError as error:
            raise DataFolderError(
                f"{path}: cannot be used as data folder: {error.strerror}",
                remedy="Set `data_dir` to a folder that the agent's user may write to.",
            ) from error
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


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file so that after a power cut it is the old one or the new one; owner-readable only.

    Raises:
        OSError: The disk refused; the old file is still there.
    """
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _OWNER_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
