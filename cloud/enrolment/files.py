"""Files that hold keys: written whole or not at all, for their owner's eyes only."""

import os
import secrets
from pathlib import Path
from typing import Final

from cloud.enrolment.errors import PkiError

PRIVATE: Final = 0o600
_OTHERS: Final = 0o077


def write_file(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Put `data` at `path`, durable when this returns: same folder, fsync, rename, fsync of the folder.

    Raises:
        PkiError: The folder cannot be written to, or the disk is full.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PkiError(f"{path} cannot be written: {error.strerror}") from error


def check_private(path: Path) -> None:
    """Whether a file is there, and a key among them unreadable for others.

    Raises:
        PkiError: It is missing, or others may read a key.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise PkiError(
            f"{path} is missing or unreadable: {error.strerror}", remedy="Run `topscoop cloud setup`."
        ) from error
    if path.suffix == ".key" and mode & _OTHERS:
        raise PkiError(
            f"others may read {path}", remedy=f"chmod 600 {path}; it may have been copied already."
        )
