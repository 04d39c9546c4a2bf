"""A backup that is not what it was is refused before anything is touched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cloud.errors import BackupError
from cloud.operations.manifest import NAME, Manifest, read_manifest, verify

_DATA = b'["tenant"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.jsonl").write_bytes(_DATA)
    files = {"tables/a.jsonl": hashlib.sha256(_DATA).hexdigest()}
    (tmp_path / NAME).write_bytes(Manifest(1, "0001", {"a": 0}, files, master_key=False).to_bytes())
    return tmp_path


def test_an_unaltered_backup_is_accepted(folder: Path) -> None:
    verify(folder, read_manifest(folder))


def test_an_altered_file_is_refused(folder: Path) -> None:
    (folder / "tables" / "a.jsonl").write_bytes(_DATA.replace(b"t", b"T", 1))
    with pytest.raises(BackupError, match=r"a\.jsonl was altered"):
        verify(folder, read_manifest(folder))


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "tables" / "a.jsonl").unlink()
    with pytest.raises(BackupError, match=r"a\.jsonl is missing"):
        verify(folder, read_manifest(folder))


def test_an_added_file_is_refused(folder: Path) -> None:
    (folder / "state").mkdir()
    (folder / "state" / "b.pem").touch()
    with pytest.raises(BackupError, match=r"b\.pem does not belong"):
        verify(folder, read_manifest(folder))


def test_a_link_is_refused(folder: Path) -> None:
    """A backup from elsewhere cannot make a restore read another file of this machine."""
    path = folder / "tables" / "a.jsonl"
    path.rename(folder.parent / "elsewhere.jsonl")
    path.symlink_to(folder.parent / "elsewhere.jsonl")
    with pytest.raises(BackupError, match="not a plain file"):
        verify(folder, read_manifest(folder))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "zebra": 2}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, data: bytes) -> None:
    (folder / NAME).write_bytes(data)
    with pytest.raises(BackupError, match="cannot be read"):
        read_manifest(folder)


def test_a_newer_format_is_refused(folder: Path) -> None:
    path = folder / NAME
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(BackupError, match="format 2"):
        read_manifest(folder)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no complete backup"):
        read_manifest(tmp_path)
