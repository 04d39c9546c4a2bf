"""The master key in a file: for development, where it lies beside what it protects."""

import os
import secrets
import stat
from pathlib import Path

from cloud.privacy import wrapping
from cloud.privacy.errors import MasterKeyError


class FileMasterKey:
    """32 bytes in hexadecimal, readable for their owner only; made at the first use.

    Raises:
        MasterKeyError: Others may read the file, or it holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            _create(path)
        self._key = _read(path)

    def wrap(self, key: bytes, tenant: str, day: str) -> bytes:
        """As the port says."""
        nonce = secrets.token_bytes(wrapping.NONCE_BYTES)
        return wrapping.wrap(key, self._key, wrapping.day_binding(tenant, day), nonce)

    def unwrap(self, wrapped: bytes, tenant: str, day: str) -> bytes:
        """As the port says."""
        try:
            return wrapping.unwrap(wrapped, self._key, wrapping.day_binding(tenant, day))
        except wrapping.WrongKey as error:
            raise MasterKeyError(
                f"the key in {self._path} did not wrap the keys of {tenant} on {day}",
                remedy="Bring the master key back that belongs to this database of consent keys.",
            ) from error


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(wrapping.KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two processes that start at once, one makes the key and both read it.
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise MasterKeyError(f"others may read {path}", remedy=f"chmod 600 {path}")
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != wrapping.KEY_BYTES:
        raise MasterKeyError(
            f"{path} holds no master key", remedy="It must be 32 bytes in hexadecimal; restore it."
        )
    return key
