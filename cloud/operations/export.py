"""Writing opened pictures to a folder for a person; each opening was audited before the file exists."""

import getpass
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import open_database
from cloud.operations.frames import StoredFrame
from cloud.operations.tenants import known_tenant
from cloud.privacy.composition import open_objects, open_vault
from cloud.privacy.errors import KeyGone, OpeningRefused
from cloud.privacy.opening import Opener, Reader
from wire_protocol.errors import OperatorError


class FolderRefused(OperatorError):
    """The folder for the pictures cannot be made or written to."""


@dataclass(slots=True)
class Exported:
    """What an export did."""

    written: list[Path] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Frame's id -> why it was not opened."""

    def plain(self) -> Mapping[str, Any]:
        """For JSON."""
        return {"written": [str(path) for path in self.written], "refused": self.refused}


def export_frames(
    config: CloudConfig,
    tenant: str,
    wanted: Iterable[StoredFrame],
    folder: Path,
    purpose: str,
    *,
    progress: bool,
) -> Exported:
    """Open frames and write `{frame}.jpg` for each; files are readable for their owner only.

    Raises:
        FolderRefused: Nothing can be written there.
        TopscoopError: A store is away; what was written stays.
    """
    outcome = Exported()
    reader = Reader(f"operator:{getpass.getuser()}", purpose)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, tenant)
        vault = open_vault(config)
        opener = Opener(database, vault, open_objects(config), now_ms)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for frame in wanted:
                name = frame.message_id.hex()
                try:
                    picture = opener.open(frame, reader)
                except (OpeningRefused, KeyGone) as error:
                    outcome.refused[name] = str(error)
                    print(f"not opened: {error}", file=sys.stderr)
                    continue
                outcome.written.append(_write(folder / f"{name}.jpg", picture))
                if progress:
                    print(f"opened {len(outcome.written)}: {name}.jpg", file=sys.stderr, flush=True)
        except OSError as error:
            raise FolderRefused(
                f"{folder}: {error.strerror}", remedy="Name another folder with --to."
            ) from error
        finally:
            vault.close()
    return outcome


def _write(path: Path, picture: bytes) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(picture)
    return path
