"""Keys of the release repository: PEM files, encrypted unless they are called development keys."""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey

from model_registry.errors import UnusableKey

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
ROLES: Final = ("root", "targets", "snapshot", "timestamp", "model-signing")
PASSPHRASE_MIN: Final = 12
_OTHERS: Final = 0o077


class Passphrases(Protocol):
    """Where passphrases come from."""

    def existing(self, path: Path) -> bytes:
        """Of a key that is there. Raises UnusableKey."""

    def fresh(self, path: Path) -> bytes:
        """For a new key. Raises UnusableKey."""


class PassphraseFile:
    """One passphrase, from a file such as a service manager's credential."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def existing(self, path: Path) -> bytes:
        """The file's first line."""
        try:
            return self._file.read_bytes().split(b"\n")[0]
        except OSError as error:
            raise UnusableKey(
                f"cannot read the passphrase of {path} from {self._file}: {error.strerror}",
                remedy="Name a file that holds it: --passphrase-file.",
            ) from error

    def fresh(self, path: Path) -> bytes:
        """The same."""
        return _long_enough(self.existing(path))


class AskedPassphrase:
    """From whoever sits at the terminal."""

    def existing(self, path: Path) -> bytes:
        """Ask once."""
        _terminal()
        return getpass.getpass(f"Passphrase of {path}: ").encode()

    def fresh(self, path: Path) -> bytes:
        """Ask twice."""
        _terminal()
        first = getpass.getpass(f"New passphrase for {path}: ").encode()
        if getpass.getpass("Once more: ").encode() != first:
            raise UnusableKey("the two passphrases differ", remedy="Make the key again.")
        return _long_enough(first)


def make_key(path: Path, role: str, passphrases: Passphrases | None) -> str:
    """Write a new private key to `path` and its public half beside it, `.pub`; the key's id.

    Args:
        path: Where; never overwritten.
        role: One of `ROLES`; `model-signing` is ECDSA P-256, as OMS has it, all others Ed25519.
        passphrases: None leaves the key unencrypted, which is for development only.

    Raises:
        UnusableKey: The file exists or cannot be written.
    """
    private: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if role == "model-signing"
        else ed25519.Ed25519PrivateKey.generate()
    )
    encryption = BestAvailableEncryption(passphrases.fresh(path)) if passphrases else NoEncryption()
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    for target, content, mode in ((path, secret, 0o600), (public_file(path), public, 0o644)):
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(handle, "wb") as file:  # noqa: PTH123 - a handle, not a path
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError as error:
            raise UnusableKey(
                f"{target} exists; a key is never overwritten", remedy="Choose another name."
            ) from error
        except OSError as error:
            raise _unwritable(target, error) from error
    return CryptoSigner(private).public_key.keyid


def public_file(path: Path) -> Path:
    """Where the public half lies."""
    return path.with_suffix(".pub")


def load_private(path: Path, passphrases: Passphrases) -> PrivateKey:
    """The private key in a file.

    Raises:
        UnusableKey: It is missing, no key of ours, readable by others, or the passphrase is wrong.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            raise UnusableKey(
                f"others may read {path}",
                remedy=f"chmod 600 {path}; where others could read it, replace it (docs/key-ceremony.md).",
            )
        content = path.read_bytes()
    except OSError as error:
        raise UnusableKey(
            f"cannot read the key {path}: {(error.strerror or str(error)).lower()}",
            remedy="Name the private key's PEM file.",
        ) from error
    passphrase = passphrases.existing(path) if b"ENCRYPTED" in content[:64] else None
    try:
        key = load_pem_private_key(content, passphrase)
    except (ValueError, TypeError) as error:
        raise UnusableKey(
            f"{path} cannot be opened", remedy="The passphrase is wrong, or this is no private key."
        ) from error
    if not isinstance(key, PrivateKey):
        raise UnusableKey(f"{path} holds a key of another kind", remedy="Make one: topscoop model keys make.")
    return key


def load_public(path: Path) -> SSlibKey:
    """A public key as metadata names it. Raises UnusableKey."""
    try:
        return SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UnusableKey(
            f"cannot read the public key {path}: {error}", remedy="Name the .pub file beside the key."
        ) from error


def signers(paths: Sequence[Path], passphrases: Passphrases) -> list[CryptoSigner]:
    """Signers of metadata of these private keys. Raises UnusableKey."""
    return [CryptoSigner(load_private(path, passphrases)) for path in paths]


def warn_of_development_keys(folder: Path) -> None:
    """Say loudly that keys are of no worth."""
    print(
        f"WARNING: DEVELOPMENT KEYS in {folder}: not encrypted, all in one place. Whoever reads them can sign"
        " models for every register that trusts this repository. Never use them for a real chain.",
        file=sys.stderr,
    )


def _unwritable(path: Path, error: OSError) -> UnusableKey:
    return UnusableKey(f"cannot write {path}: {error.strerror}", remedy="Check the folder and its rights.")


def _long_enough(passphrase: bytes) -> bytes:
    if len(passphrase) < PASSPHRASE_MIN:
        raise UnusableKey(
            f"a passphrase needs {PASSPHRASE_MIN} characters at least", remedy="Six words are easy to keep."
        )
    return passphrase


def _terminal() -> None:
    if not sys.stdin.isatty():
        raise UnusableKey(
            "the key is encrypted, and nobody can be asked here",
            remedy="Give --passphrase-file, or run this at a terminal.",
        )
