"""The keys that services sign with: one for each tenant and purpose.

Private halves are files, `state_dir/service-keys/{tenant}/{purpose}.pem`; public halves are rows, and the
registers' trust anchors.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cloud.enrolment.files import write_file
from cloud.errors import ServiceKeyMissing
from cloud.state_folder import prepare_folder
from wire_protocol.identifiers import is_name
from wire_protocol.keys import SigningKey

_OTHERS = 0o077


class Purpose(StrEnum):
    """What a service key signs; it is good for nothing else."""

    RECEIPTS = "receipts"
    """Of the collector: the proof that a message is stored."""
    CONSENT = "consent"
    """Of the keeper: consent blanks, and the order to erase."""
    FLEET = "fleet"
    """Of the rollout controller: the desired state of registers."""
    FILES = "files"
    """Of the file service: pieces of release files, whose content TUF's own keys sign."""
    INTAKE = "intake"
    """Of the recommender: pictures of the public API, in the name of the register `public-api`."""


FOR_REGISTERS: Final = tuple(purpose for purpose in Purpose if purpose is not Purpose.INTAKE)
"""Whose public halves registers are told; nothing that goes down to them is signed by another."""


class ServiceKeyFolder:
    """The private halves.

    Args:
        state_dir: Of the configuration.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "service-keys"

    def load(self, tenant: str, purpose: Purpose) -> SigningKey:
        """The key of a tenant.

        Raises:
            ServiceKeyMissing: There is none, it cannot be read, or others may read it.
        """
        path = self._file(tenant, purpose)
        try:
            if path.stat().st_mode & _OTHERS:
                raise ServiceKeyMissing(
                    f"others may read {path}", remedy=f"chmod 600 {path}; it may have been copied already."
                )
            key = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError as error:
            raise ServiceKeyMissing(
                f"{path} is missing",
                remedy=f"Restore it from a backup, or make the chain: `topscoop cloud tenant add {tenant}`.",
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise ServiceKeyMissing(f"{path} cannot be read: {error}", remedy="Restore it.") from error
        if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
            raise ServiceKeyMissing(f"{path} holds no signing key", remedy="Restore it from a backup.")
        return SigningKey(key)

    def make(self, tenant: str, purpose: Purpose) -> SigningKey:
        """The key of a tenant: the one that is there, or a new one, durable when this returns.

        Raises:
            ServiceKeyMissing: What is there cannot be used.
            StateFolderError: The folder cannot be used.
        """
        path = self._file(tenant, purpose)
        if path.exists():
            return self.load(tenant, purpose)
        for folder in (self._path.parent, self._path, path.parent):
            prepare_folder(folder)
        key = SigningKey.generate()
        write_file(path, key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key

    def _file(self, tenant: str, purpose: Purpose) -> Path:
        if not is_name(tenant):
            raise ValueError(f"not a tenant: {tenant!r:.80}")
        return self._path / tenant / f"{purpose}.pem"


class KeysInUse:
    """The keys of one purpose, read once for each tenant; a missing one is looked for again at each call."""

    def __init__(self, folder: ServiceKeyFolder, purpose: Purpose) -> None:
        self._folder = folder
        self._purpose = purpose
        self._keys: dict[str, SigningKey] = {}

    def __call__(self, tenant: str) -> SigningKey:
        """The key of a tenant; raises ServiceKeyMissing."""
        key = self._keys.get(tenant)
        if key is None:
            key = self._keys[tenant] = self._folder.load(tenant, self._purpose)
        return key
