"""What a backup says of itself: the last file to be written, so a backup without one is none."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cloud.errors import BackupError

NAME: Final = "manifest.json"
_FORMAT: Final = 1
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's contents.

    Attributes:
        made_at_ms: When it was begun; what came later is not in it.
        revision: Of the database's tables.
        rows: By table.
        files: SHA-256 in hexadecimal, by path within the backup.
        master_key: Whether the master key's file is in it.
    """

    made_at_ms: int
    revision: str
    rows: Mapping[str, int]
    files: Mapping[str, str]
    master_key: bool

    def to_bytes(self) -> bytes:
        """As it stands in the backup."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode() + b"\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: There is none, or it cannot be read.
    """
    try:
        document = json.loads((folder / NAME).read_bytes())
        found = document.pop("format")
        manifest = Manifest(**document)
    except FileNotFoundError as error:
        raise BackupError(
            f"{folder} is no complete backup: {NAME} is missing",
            remedy="A backup that was cut off has none; take an older one.",
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(
            f"{folder / NAME} cannot be read: {error}",
            remedy="It comes from another version, or was damaged.",
        ) from error
    if found != _FORMAT:
        raise BackupError(f"{folder / NAME} has format {found!r:.20}", remedy="A newer Topscoop wrote it.")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """See that every file is there and unaltered, and that there is no other.

    Raises:
        BackupError: Names what differs.
    """
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {NAME}
    for problem, names in (
        ("is missing", manifest.files.keys() - there),
        ("does not belong to it", there - manifest.files.keys()),
        (
            "was altered",
            [
                name
                for name in manifest.files
                if name in there and digest(folder / name) != manifest.files[name]
            ],
        ),
    ):
        for name in sorted(names):
            raise BackupError(
                f"the backup in {folder} is damaged: {name} {problem}", remedy="Take another backup."
            )


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        BackupError: It cannot be read, or is not a plain file.
    """
    if path.is_symlink() or not path.is_file():
        raise BackupError(f"{path} is not a plain file", remedy="Backups hold plain files only.")
    made = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                made.update(chunk)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from error
    return made.hexdigest()
