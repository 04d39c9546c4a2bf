"""The files of an enrolment: a whole set or the whole old one, and nothing in them opens a picture."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.key_files import IdentityError
from edge_agent.uplink.anchors import Purpose
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.packaging import JpegFrame
from tests.builders.records import interaction_id
from tests.builders.scripted_cloud import IDENTITY, PaperCloud
from tests.builders.uplink import PaperDesk
from wire_protocol.envelope import seal_info
from wire_protocol.sealing import SealBroken, unseal
from wire_protocol.topics import Up


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    PaperCloud().enrol(tmp_path, port=8883)
    return tmp_path / key_files.FOLDER


def test_a_set_is_read_as_it_was_written_and_closed_to_others(folder: Path) -> None:
    """Modes 0700 and 0600; keys of every purpose; the certificate's life."""
    found = key_files.load(folder)
    assert found.place.identity == IDENTITY
    assert found.place.broker_port == 8883
    assert {one.purpose for one in found.anchors.all} == set(Purpose)
    assert key_files.open_to_others(folder) == []
    assert 88 < found.life.days_left(found.place.server_time_ms) < 91


def test_a_key_that_others_may_read_is_refused(folder: Path) -> None:
    """The agent does not start with it: somebody may have copied it."""
    (folder / "signing.key").chmod(0o644)
    with pytest.raises(IdentityError, match="others may read"):
        key_files.load(folder)


# What is read only by the TLS library, when it connects, is told by the link; an empty list believes nobody.
_READ_LATER = {"ca.crt", "tls.key"}
_DAMAGE = [
    (name, damage)
    for name in key_files.NAMES
    for damage in (None, b"", b"\0" * 100, b"[]")
    if damage is None or (name not in _READ_LATER and (name, damage) != ("anchors.json", b"[]"))
]


@pytest.mark.parametrize(("name", "damage"), _DAMAGE)
def test_a_missing_or_damaged_file_is_told_in_plain_words(
    folder: Path, name: str, damage: bytes | None
) -> None:
    """Zeroed and emptied files are what a power cut leaves; the remedy is to enrol."""
    (folder / name).unlink() if damage is None else (folder / name).write_bytes(damage)
    with pytest.raises(IdentityError) as error:
        key_files.load(folder)
    assert "enrol" in error.value.remedy


@pytest.mark.parametrize("after", range(10))
def test_a_power_cut_while_a_set_is_replaced_leaves_the_old_or_the_new_t13(
    folder: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """T13: cut before every write and rename; never a key of one set with a certificate of the other."""
    old = key_files.load(folder).signing.kid
    other = PaperCloud()
    steps = 0

    class Cut(BaseException):
        pass

    real_write, real_replace = key_files.write_durably, key_files.os.replace

    def cut() -> None:
        nonlocal steps
        steps += 1
        if steps > after:
            raise Cut

    def write(path: Path, content: bytes) -> None:
        cut()
        real_write(path, content)

    def replace(source: Path, target: Path) -> None:
        cut()
        real_replace(source, target)

    monkeypatch.setattr(key_files, "write_durably", write)
    monkeypatch.setattr(key_files.os, "replace", replace)
    with pytest.raises(Cut):
        other.enrol(folder.parent, port=1)
    monkeypatch.undo()
    found = key_files.load(folder)
    port = json.loads((folder / "identity.json").read_bytes())["broker"]["port"]
    assert (found.signing.kid, port) in {(old, 8883), (other.register_key.kid, 1)}
    assert not (folder / "next").exists()


def test_no_key_in_a_copied_folder_opens_a_picture_t1(folder: Path) -> None:
    """T1: every private key and every 32 bytes of every file are tried against a sealed frame."""
    shop = PaperDesk()
    yes = shop.yes().yes
    assert yes is not None
    granted = shop.desk.grant(interaction_id(1), yes, shop.clock.now_ms())
    picture = JpegFrame(b"\xff\xd8\xff canary", 160, 120, shop.clock.now_ms())
    assert shop.desk.file_frame(granted, picture, shop.clock.now_ms(), dict)
    (entry,) = shop.spool.candidates(Lane.FRAMES, 0, 9)
    message = shop.spool.load(entry.message_id)
    assert message is not None
    verified = shop.cloud.verify(str(shop.packager.topic(Up.FRAME)), message)
    assert shop.cloud.open_frame(verified) == b"\xff\xd8\xff canary"
    info = seal_info(verified.header, verified.kid)
    candidates = {granted.agreed.blank.public_key, granted.consent_id.bytes * 2}
    for path in folder.rglob("*"):
        content = path.read_bytes()
        candidates |= {content[at : at + 32] for at in range(max(1, len(content) - 31))}
        if path.suffix == ".key":
            key = load_pem_private_key(content, None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                candidates.add(key.private_numbers().private_value.to_bytes(32))
            else:
                candidates.add(key.private_bytes_raw())  # type: ignore[union-attr]
    assert len(candidates) > 1000
    for candidate in candidates:
        if len(candidate) == 32:
            x25519.X25519PrivateKey.from_private_bytes(candidate)
            with pytest.raises(SealBroken):
                unseal(verified.attachments[1], candidate, info)
    shop.executor.shutdown()
