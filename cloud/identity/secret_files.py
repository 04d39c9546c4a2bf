"""Secrets of chains as files: what pseudonyms are made with, and our secrets at identity providers."""

import os
import secrets
from pathlib import Path
from typing import Final

from cloud.enrolment.files import write_file
from cloud.identity.errors import IssuerSecretUnusable, UserKeyUnusable
from cloud.identity.pseudonyms import SECRET_BYTES
from cloud.identity.values import issuer_key
from cloud.state_folder import prepare_folder
from wire_protocol.identifiers import is_name

_OTHERS: Final = 0o077
_SECRET_MAX: Final = 4096


class UserKeys:
    """The secret of each chain's pseudonyms: `state_dir/user-keys/{tenant}.key`, made when first needed.

    Whoever has it can test whether a known person is a given pseudonym; without it, and it is in no backup
    of the database, nobody can. If it is lost, everybody is somebody new.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "user-keys"
        self._known: dict[str, bytes] = {}

    def secret(self, tenant: str) -> bytes:
        """32 bytes, durable when this returns.

        Raises:
            UserKeyUnusable: The file is damaged, or others may read it.
            StateFolderError: The folder cannot be used.
        """
        known = self._known.get(tenant)
        if known is None:
            known = self._known[tenant] = self._read(self._file(tenant))
        return known

    def _file(self, tenant: str) -> Path:
        if not is_name(tenant):
            raise ValueError(f"not a tenant: {tenant!r:.80}")
        return self._path / f"{tenant}.key"

    def _read(self, path: Path) -> bytes:
        if not path.exists():
            for folder in (self._path.parent, self._path):
                prepare_folder(folder)
            _create(path, secrets.token_bytes(SECRET_BYTES))
        try:
            if path.stat().st_mode & _OTHERS:
                raise UserKeyUnusable(
                    f"others may read {path}", remedy=f"chmod 600 {path}; it may have been copied already."
                )
            data = path.read_bytes()
        except OSError as error:
            raise UserKeyUnusable(f"{path} cannot be read: {error.strerror}", remedy="Restore it.") from error
        if len(data) != SECRET_BYTES:
            raise UserKeyUnusable(f"{path} is damaged", remedy="Restore it from a copy of `state_dir`.")
        return data


class IssuerSecrets:
    """Our secrets at identity providers: `state_dir/issuer-secrets/{tenant}/{key of the issuer}`."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "issuer-secrets"

    def read(self, tenant: str, issuer: str) -> str | None:
        """The secret; None where we are a public client there. Raises IssuerSecretUnusable."""
        path = self._file(tenant, issuer)
        try:
            if path.stat().st_mode & _OTHERS:
                raise IssuerSecretUnusable(
                    f"others may read {path}", remedy=f"chmod 600 {path}; get a new one from the provider."
                )
            return path.read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise IssuerSecretUnusable(
                f"{path} cannot be read", remedy="Add the issuer again with its secret."
            ) from error

    def write(self, tenant: str, issuer: str, secret: str) -> None:
        """Keep a secret, in place of any older one. Raises IssuerSecretUnusable, StateFolderError."""
        if not 0 < len(secret) <= _SECRET_MAX or not secret.isprintable():
            raise IssuerSecretUnusable(
                "that is no client secret", remedy="The file holds the secret alone, in one line."
            )
        path = self._file(tenant, issuer)
        for folder in (self._path.parent, self._path, path.parent):
            prepare_folder(folder)
        write_file(path, secret.encode())

    def delete(self, tenant: str, issuer: str) -> None:
        """Forget it; one that is not there stays so."""
        self._file(tenant, issuer).unlink(missing_ok=True)

    def _file(self, tenant: str, issuer: str) -> Path:
        if not is_name(tenant):
            raise ValueError(f"not a tenant: {tenant!r:.80}")
        return self._path / tenant / issuer_key(issuer)


def _create(path: Path, data: bytes) -> None:
    """Whole or not at all, and never over one that another process has just made (O_EXCL, link)."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # the other one's is as good, and is the one that holds
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UserKeyUnusable(
            f"{path} cannot be written: {error.strerror}", remedy="Make room, or name another `state_dir`."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
