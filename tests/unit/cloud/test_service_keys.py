"""Service keys: one for each chain and purpose, durable, private."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cloud.errors import ServiceKeyMissing
from cloud.service_keys import KeysInUse, Purpose, ServiceKeyFolder


@pytest.fixture
def folder(tmp_path: Path) -> ServiceKeyFolder:
    return ServiceKeyFolder(tmp_path / "state")


def test_what_was_made_is_loaded(folder: ServiceKeyFolder) -> None:
    made = folder.make("gelato", Purpose.RECEIPTS)
    loaded = folder.load("gelato", Purpose.RECEIPTS)
    assert loaded.kid == made.kid
    assert made.verification_key.verifies(loaded.sign(b"x"), b"x")


def test_making_again_keeps_the_key(folder: ServiceKeyFolder) -> None:
    assert folder.make("gelato", Purpose.CONSENT).kid == folder.make("gelato", Purpose.CONSENT).kid


def test_every_chain_and_purpose_has_its_own(folder: ServiceKeyFolder) -> None:
    kids = {folder.make(tenant, purpose).kid for tenant in ("gelato", "bianca") for purpose in Purpose}
    assert len(kids) == 2 * len(Purpose)


def test_everything_is_private(folder: ServiceKeyFolder, tmp_path: Path) -> None:
    folder.make("gelato", Purpose.CONSENT)
    found = [path for path in (tmp_path / "state").rglob("*") if path.stat().st_mode & 0o077]
    assert found == []


def test_a_missing_key_says_what_to_do(folder: ServiceKeyFolder) -> None:
    with pytest.raises(ServiceKeyMissing, match="is missing") as told:
        folder.load("gelato", Purpose.CONSENT)
    assert "backup" in told.value.remedy


def test_a_key_that_others_can_read_is_refused(folder: ServiceKeyFolder, tmp_path: Path) -> None:
    folder.make("gelato", Purpose.CONSENT)
    path = tmp_path / "state" / "service-keys" / "gelato" / "consent.pem"
    path.chmod(0o640)
    with pytest.raises(ServiceKeyMissing, match="others may read"):
        folder.load("gelato", Purpose.CONSENT)


@pytest.mark.parametrize("kind", ["garbage", "another"])
def test_a_damaged_key_is_not_replaced(folder: ServiceKeyFolder, tmp_path: Path, kind: str) -> None:
    """T14: a new key would make every register refuse its receipts; a person decides."""
    folder.make("gelato", Purpose.CONSENT)
    path = tmp_path / "state" / "service-keys" / "gelato" / "consent.pem"
    data = b"\0" * 119
    if kind == "another":
        data = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(data)
    for act in (folder.load, folder.make):
        with pytest.raises(ServiceKeyMissing):
            act("gelato", Purpose.CONSENT)
    assert path.read_bytes() == data


def test_a_tenant_cannot_leave_the_folder(folder: ServiceKeyFolder) -> None:
    """T7: no path in a name."""
    with pytest.raises(ValueError, match="not a tenant"):
        folder.load("../bianca", Purpose.CONSENT)


def test_a_key_in_use_is_read_once_and_a_missing_one_looked_for_again(folder: ServiceKeyFolder) -> None:
    """A chain that gets its key later needs no restart; one purpose's key is none of another's."""
    keys = KeysInUse(folder, Purpose.FILES)
    folder.make("gelato", Purpose.FLEET)
    with pytest.raises(ServiceKeyMissing):
        keys("gelato")
    made = folder.make("gelato", Purpose.FILES)
    assert keys("gelato").kid == made.kid
    assert keys("gelato") is keys("gelato")
