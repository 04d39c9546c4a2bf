"""Key files: encrypted, never overwritten, refused with a reason."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from model_registry.adapters.key_files import (
    AskedPassphrase,
    PassphraseFile,
    load_private,
    load_public,
    make_key,
    public_file,
    signers,
)
from model_registry.errors import UnusableKey


@pytest.fixture
def phrase(tmp_path: Path) -> PassphraseFile:
    (tmp_path / "phrase").write_text("six words are easy to keep\n")
    return PassphraseFile(tmp_path / "phrase")


def test_a_key_is_encrypted_and_opens(tmp_path: Path, phrase: PassphraseFile) -> None:
    path = tmp_path / "targets.pem"
    keyid = make_key(path, "targets", phrase)
    assert b"ENCRYPTED" in path.read_bytes()
    (signer,) = signers([path], phrase)
    assert signer.public_key.keyid == keyid == load_public(public_file(path)).keyid


def test_a_wrong_passphrase(tmp_path: Path, phrase: PassphraseFile) -> None:
    make_key(tmp_path / "k.pem", "root", phrase)
    (tmp_path / "phrase").write_text("not the one that it was")
    with pytest.raises(UnusableKey, match="cannot be opened"):
        load_private(tmp_path / "k.pem", phrase)


def test_a_key_of_another_kind(tmp_path: Path, phrase: PassphraseFile) -> None:
    path = tmp_path / "rsa.pem"
    key = rsa.generate_private_key(65537, 2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(UnusableKey, match="another kind"):
        load_private(path, phrase)


def test_what_is_missing_is_named(tmp_path: Path, phrase: PassphraseFile) -> None:
    with pytest.raises(UnusableKey, match="cannot read the key"):
        load_private(tmp_path / "none.pem", phrase)
    make_key(tmp_path / "k.pem", "root", phrase)
    with pytest.raises(UnusableKey, match="cannot read the passphrase"):
        load_private(tmp_path / "k.pem", PassphraseFile(tmp_path / "none"))


def test_two_passphrases_must_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one passphrase", "other passphrase"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt="": next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(UnusableKey, match="differ"):
        make_key(tmp_path / "k.pem", "root", AskedPassphrase())
    assert not (tmp_path / "k.pem").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnusableKey, match="cannot write"):
        make_key(tmp_path / "file" / "k.pem", "root", None)
