"""OMS signatures: of these bytes, by this key."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from model_registry.adapters.model_bundle import sign_network, signature_path, verify_network
from model_registry.errors import VerificationFailed

KEY = ec.generate_private_key(ec.SECP256R1())
NETWORK = b"network" * 1000


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def signature() -> bytes:
    return sign_network(NETWORK, KEY)


def test_a_signature_verifies(signature: bytes) -> None:
    verify_network(NETWORK, signature, _public(KEY))


def test_other_bytes_do_not(signature: bytes) -> None:
    with pytest.raises(VerificationFailed, match="not this network's"):
        verify_network(NETWORK + b"x", signature, _public(KEY))


def test_another_key_does_not(signature: bytes) -> None:
    with pytest.raises(VerificationFailed, match="not this network's"):
        verify_network(NETWORK, signature, _public(ec.generate_private_key(ec.SECP256R1())))


def test_no_signature_does_not() -> None:
    with pytest.raises(VerificationFailed):
        verify_network(NETWORK, b"{}", _public(KEY))


def test_others_verify_without_topscoop(signature: bytes, tmp_path: Path) -> None:
    """By the command that docs/registry.md gives."""
    page = (Path(__file__).parents[4] / "docs" / "registry.md").read_text("utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("model_signing verify key")]
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.onnx").write_bytes(NETWORK)
    (tmp_path / "3f….model.sig").write_bytes(signature)
    (tmp_path / "model-signing.pub").write_text(_public(KEY))
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout + done.stderr


def test_it_lies_beside_the_network() -> None:
    assert signature_path("targets/releases/7/3f.model.onnx") == "targets/releases/7/3f.model.sig"
