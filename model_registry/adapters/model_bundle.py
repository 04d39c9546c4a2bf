"""The OMS signature beside each model: whoever has `model-signing` can verify a model without Topscoop."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from model_registry.errors import VerificationFailed

NETWORK = "model.onnx"
"""The signature covers a folder that holds the network under this name, and nothing else."""


def signature_path(stored_network: str) -> str:
    """Where the signature of a stored network lies."""
    return stored_network.removesuffix(".model.onnx") + ".model.sig"


def sign_network(network: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The signature, a Sigstore bundle in JSON."""
    from model_signing import signing

    with _folder(network) as folder:
        # The package reads keys from files only; encrypted for this moment, it never lies bare on a disk.
        secret, password = folder.parent / "key.pem", token_bytes(32).hex().encode()
        encryption = BestAvailableEncryption(password)
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        signature = folder.parent / "model.sig"
        config: Any = signing.Config  # its constructor has no annotations
        config().use_elliptic_key_signer(private_key=secret, password=password).sign(folder, signature)
        return signature.read_bytes()


def verify_network(network: bytes, signature: bytes, public_pem: str) -> None:
    """Whether the signature is this network's, by this key. Raises VerificationFailed."""
    from model_signing import verifying

    with _folder(network) as folder:
        public, file = folder.parent / "key.pub", folder.parent / "model.sig"
        public.write_text(public_pem)
        file.write_bytes(signature)
        config: Any = verifying.Config
        try:
            config().use_elliptic_key_verifier(public_key=public).verify(folder, file)
        except Exception as error:  # the package raises what its parts raise: ValueError, InvalidSignature, …
            raise VerificationFailed(
                f"the OMS signature is not this network's: {type(error).__name__} {error}".strip(),
                remedy="Do not use this model; ask whoever published it.",
            ) from error


@contextmanager
def _folder(network: bytes) -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - for a moment, in a folder of its own with mode 0700
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)
        folder = Path(place) / "model"
        folder.mkdir()
        (folder / NETWORK).write_bytes(network)
        yield folder
