"""`docs/key-ceremony.md` as it stands there: every command, in order, with a client that watches.

T9: what each stolen key can do, and how the documented commands end it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, TargetFile
from tuf.ngclient import Updater

from model_registry.adapters.folder_store import FolderStore
from model_registry.adapters.key_files import load_private
from model_registry.releases.draft import to_bytes
from model_registry.releases.verification import _StoreFetcher
from topscoop.cli import main
from wire_protocol.release_metadata import FIELD, read_listing

ROOT = Path(__file__).parents[2]
CHAIN = "gelateria-sole"
PASSPHRASE = "correct horse battery staple"


class _Terminal(io.StringIO):
    """Somebody who reads and says yes."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1) -> str:
        return "yes\n"


class _Typed:
    """The passphrase that somebody types."""

    def existing(self, path: Path) -> bytes:
        return PASSPHRASE.encode()

    fresh = existing


class Ceremony:
    """The page's commands, section by section, run in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(folder / "store" / "tuf" / CHAIN)
        text = (ROOT / "docs" / "key-ceremony.md").read_text("utf-8")
        self.sections: dict[str, list[str]] = {}
        for section in text.split("\n## ")[1:]:
            blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
            self.sections[section.splitlines()[0]] = [
                line for block in blocks for line in block.splitlines() if line.startswith("topscoop ")
            ]
        self.done: set[str] = set()

    def run(self, title: str) -> str:
        """Run a section's commands; what they printed."""
        (found,) = [name for name in self.sections if name.startswith(title)]
        self.done.add(found)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            for line in self.sections[found]:
                assert main(shlex.split(line)[1:]) == 0, f"{line}\n{said.getvalue()[-2000:]}"
        return said.getvalue()

    def client(self, name: str = "till") -> Updater:
        """A register's TUF client, which keeps its state between calls."""
        folder = self.folder / "clients" / name
        folder.mkdir(parents=True, exist_ok=True)
        return Updater(
            str(folder),
            "store:metadata/",
            target_base_url="store:targets/",
            fetcher=_StoreFetcher(self.store),
            bootstrap=self.store.get("metadata/1.root.json"),
        )

    def releases(self, name: str = "till") -> list[int]:
        """What a register sees after it looked."""
        self.client(name).refresh()
        return self.known(name)

    def known(self, name: str) -> list[int]:
        """What a register saw last."""
        content = (self.folder / "clients" / name / "targets.json").read_bytes()
        targets = Metadata[Any].from_bytes(content).signed
        customs = {path: file.custom for path, file in targets.targets.items()}
        return list(read_listing(targets.unrecognized_fields[FIELD], customs).releases)

    def key(self, file: str) -> CryptoSigner:
        """A private key that a thief has copied, with its passphrase."""
        return CryptoSigner(load_private(self.folder / file, _Typed()))


class Thief:
    """Writes what he likes into the store, and signs it with the keys that he has."""

    def __init__(self, ceremony: Ceremony, **keys: CryptoSigner) -> None:
        self._ceremony, self._keys = ceremony, keys
        self._folder = ceremony.folder / "store" / "tuf" / CHAIN

    def load(self, role: str, version: int | None = None) -> Metadata[Any]:
        name = role if version is None else f"{version}.{role}"
        return Metadata.from_bytes((self._folder / "metadata" / f"{name}.json").read_bytes())

    def write(self, metadata: Metadata[Any], by: str) -> None:
        """Sign with the key that was stolen under this name, and publish."""
        metadata.signatures.clear()
        metadata.sign(self._keys[by])
        role = metadata.signed.type
        name = role if role == "timestamp" else f"{metadata.signed.version}.{role}"
        (self._folder / "metadata" / f"{name}.json").write_bytes(to_bytes(metadata))

    def publish_model(self, *, targets: str, snapshot: str, timestamp: str, version: int) -> None:
        """List a model of his own as release 3, each role signed by the key of that name."""
        stamp = self.load("timestamp")
        snap = self.load("snapshot", stamp.signed.snapshot_meta.version)
        listed = self.load("targets", snap.signed.meta["targets.json"].version)
        file = TargetFile.from_data("releases/3/model.onnx", b"evil", ["sha256"])
        custom = json.loads(json.dumps(listed.signed.targets["releases/1/model.onnx"].custom))
        custom["topscoop"] |= {"release": 3, "golden": "releases/3/golden.cbor"}
        file.unrecognized_fields["custom"] = custom
        golden = TargetFile.from_data("releases/3/golden.cbor", b"evil", ["sha256"])
        listed.signed.targets |= {file.path: file, golden.path: golden}
        listed.signed.version = snap.signed.version = stamp.signed.version = version
        snap.signed.meta["targets.json"] = MetaFile(version)
        stamp.signed.snapshot_meta = MetaFile(version)
        self.write(listed, targets)
        self.write(snap, snapshot)
        self.write(stamp, timestamp)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    """The page up to its first release; every test goes on with a copy."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("ceremony")
    (folder / "models").symlink_to(ROOT / "models")
    patch.chdir(folder)
    _sit_down(patch)
    ceremony = Ceremony(folder)
    ceremony.run("The ceremony")
    ceremony.run("Every release")
    patch.undo()
    return ceremony


@pytest.fixture
def ceremony(begun: Ceremony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ceremony:
    folder = tmp_path / "world"
    shutil.copytree(begun.folder, folder, symlinks=True)
    monkeypatch.chdir(folder)
    _sit_down(monkeypatch)
    return Ceremony(folder)


def _sit_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("getpass.getpass", lambda _prompt="": PASSPHRASE)
    patch.setattr(sys, "stdin", _Terminal())


def test_the_whole_page(ceremony: Ceremony) -> None:
    """Every command of the page works in its order; a register follows over every change of keys."""
    assert ceremony.releases() == [1]
    ceremony.run("Renewal")
    assert ceremony.releases() == [1]
    ceremony.run("The timestamp or snapshot key")
    assert ceremony.releases() == [1]
    Thief(
        ceremony,
        targets=ceremony.key("offline/targets.pem"),
        snapshot=ceremony.key("online-2/snapshot.pem"),
        timestamp=ceremony.key("online-2/timestamp.pem"),
    ).publish_model(targets="targets", snapshot="snapshot", timestamp="timestamp", version=99)
    assert ceremony.releases() == [1, 3]
    said = ceremony.run("The targets key is stolen")
    assert "release 1 STAYS LISTED" in said
    assert "release 3 is withdrawn: not ours" in said
    assert ceremony.releases() == [1]
    said = ceremony.run("A root key is lost")
    assert "signed, and not expired" in said
    assert "release 1: answers its golden frames, OMS signature verified" in said
    assert ceremony.releases() == [1]
    assert ceremony.releases("a new register") == [1]
    skipped = set(ceremony.sections) - ceremony.done - {"The ceremony", "Every release"}
    assert [name for name in skipped if ceremony.sections[name]] == []


def test_signing_tells_what_is_signed(begun: Ceremony, ceremony: Ceremony) -> None:
    said = ceremony.run("Renewal")
    assert "root 2, until 20" in said
    assert "To be signed for gelateria-sole:" in said


@pytest.mark.parametrize("stolen", ["timestamp", "snapshot", "targets", "root"])
def test_one_stolen_key_lists_no_model(ceremony: Ceremony, stolen: str) -> None:
    """T9: with any one key alone, no register that the thief reaches takes a model of his."""
    file = {"root": "root-1/root-1.pem", "targets": "offline/targets.pem"}.get(stolen, f"online/{stolen}.pem")
    assert ceremony.releases() == [1]
    thief = Thief(ceremony, loot=ceremony.key(file))
    thief.publish_model(targets="loot", snapshot="loot", timestamp="loot", version=50)
    with pytest.raises(RepositoryError):
        ceremony.releases()
    assert ceremony.known("till") == [1]
    with pytest.raises(RepositoryError):
        ceremony.releases("a new register")


def test_a_stolen_timestamp_key_can_only_freeze(ceremony: Ceremony) -> None:
    """T9: the thief's register sees an old state until it expires, never a state older than it knows."""
    assert ceremony.releases() == [1]
    thief = Thief(ceremony, timestamp=ceremony.key("online/timestamp.pem"))
    stamp = thief.load("timestamp")
    stamp.signed.version += 1
    thief.write(stamp, "timestamp")
    assert ceremony.releases() == [1]  # frozen, but the truth
    stamp.signed.version += 1
    stamp.signed.snapshot_meta = MetaFile(1)
    thief.write(stamp, "timestamp")
    with pytest.raises(RepositoryError):
        ceremony.releases()  # a rollback
    stamp.signed.snapshot_meta = MetaFile(4)
    stamp.signed.expires = datetime.now(UTC) - timedelta(hours=1)
    thief.write(stamp, "timestamp")
    with pytest.raises(RepositoryError, match="expired"):
        ceremony.releases()


def test_registers_that_were_sent_far_ahead_come_back(ceremony: Ceremony) -> None:
    """T9: fast-forward by stolen online keys ends with the root that removes them."""
    thief = Thief(
        ceremony,
        timestamp=ceremony.key("online/timestamp.pem"),
        snapshot=ceremony.key("online/snapshot.pem"),
    )
    stamp = thief.load("timestamp")
    snap = thief.load("snapshot", stamp.signed.snapshot_meta.version)
    honest = (ceremony.folder / "store/tuf" / CHAIN / "metadata/timestamp.json").read_bytes()
    snap.signed.version = 1_000_000
    stamp.signed.version = 1_000_000
    stamp.signed.snapshot_meta = MetaFile(1_000_000)
    thief.write(snap, "snapshot")
    thief.write(stamp, "timestamp")
    assert ceremony.releases() == [1]
    (ceremony.folder / "store/tuf" / CHAIN / "metadata/timestamp.json").write_bytes(honest)
    (ceremony.folder / "store/tuf" / CHAIN / "metadata/1000000.snapshot.json").unlink()
    with pytest.raises(RepositoryError):
        ceremony.releases()
    ceremony.run("The timestamp or snapshot key")
    assert ceremony.releases() == [1]


def test_a_thief_who_left_something_unreadable(
    ceremony: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    """T9: registers take nothing of it, and a new targets key goes back to the version before."""
    assert ceremony.releases() == [1]
    thief = Thief(
        ceremony,
        targets=ceremony.key("offline/targets.pem"),
        snapshot=ceremony.key("online/snapshot.pem"),
        timestamp=ceremony.key("online/timestamp.pem"),
    )
    stamp = thief.load("timestamp")
    snap = thief.load("snapshot", stamp.signed.snapshot_meta.version)
    targets = thief.load("targets", snap.signed.meta["targets.json"].version)
    ours = targets.signed.version
    del targets.signed.unrecognized_fields[FIELD]
    for one in (targets, snap, stamp):
        one.signed.version = 70
    snap.signed.meta["targets.json"] = stamp.signed.snapshot_meta = MetaFile(70)
    for one in (targets, snap, stamp):
        thief.write(one, one.signed.type)
    assert main(["model", "log", "--store", "store", "--chain", CHAIN]) == 0
    assert "UNREADABLE" in capsys.readouterr().out
    ceremony.run("The timestamp or snapshot key")
    for line in (
        "model keys make targets --out offline-2/targets.pem",
        (
            f"model root change --store store --chain {CHAIN} --remove targets=offline/targets.pub"
            f" --add targets=offline-2/targets.pub --from-targets {ours} --out usb/new-targets"
        ),
        "model sign usb/new-targets --key root-1/root-1.pem",
        "model sign usb/new-targets --key root-2/root-2.pem",
        "model sign usb/new-targets --key offline-2/targets.pem",
        "model publish usb/new-targets --store store --keys online-2",
    ):
        assert main(shlex.split(line)) == 0, line
    assert ceremony.releases() == [1]


def test_the_publisher_signs_no_model_that_the_gate_refuses(
    ceremony: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    """T9: a thief with the targets key needs the publisher too, and the publisher asks the gate itself."""
    assert main(shlex.split("model sign models/gelateria-sole --store store --release 3 --out usb/evil")) == 0
    report = Path("usb/evil/evidence/3/report.json")
    spoiled = json.loads(report.read_bytes())
    spoiled["recommenders"]["student_int8"]["hit_at_3_realised"] = 0.1
    report.write_text(json.dumps(spoiled), "utf-8")
    assert main(shlex.split("model publish usb/evil --store store --keys online")) != 0
    assert "not clearly above" in capsys.readouterr().err
    assert ceremony.releases() == [1]


def test_a_publisher_refuses_what_is_not_signed_enough(
    ceremony: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split("model sign models/gelateria-sole --store store --release 3 --out usb/r3")) == 0
    assert main(shlex.split("model publish usb/r3 --store store --keys online")) == 2
    assert "signatures are missing: 1 of targets" in capsys.readouterr().err
    assert main(shlex.split("model sign usb/r3 --key offline/targets.pem")) == 0
    assert main(shlex.split("model publish usb/r3 --store store --keys online")) == 2
    assert "release 3 has no OMS signature" in capsys.readouterr().err
    assert ceremony.releases() == [1]


def test_one_root_key_makes_no_root(ceremony: Ceremony, capsys: pytest.CaptureFixture[str]) -> None:
    """T9: two of three."""
    change = f"model root change --store store --chain {CHAIN} --out usb/root"
    assert main(shlex.split(change)) == 0
    assert main(shlex.split("model sign usb/root --key root-1/root-1.pem")) == 0
    assert main(shlex.split("model publish usb/root --store store --keys online")) == 2
    assert "signatures are missing: 1 of root" in capsys.readouterr().err
    assert main(shlex.split("model sign usb/root --key offline/targets.pem")) == 2
    assert "a key of no role that this draft changes" in capsys.readouterr().err


def test_keys_are_encrypted(begun: Ceremony) -> None:
    """No private key of the ceremony lies bare, and none may be read by others."""
    keys = sorted(begun.folder.glob("*/*.pem"))
    assert len(keys) == 7
    for path in keys:
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
