"""The place of repositories from the configuration; services and commands call it."""

import time
from pathlib import Path

from cloud.config import CloudConfig
from cloud.operations.setup import SetUp
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.cached_files import CachedFiles
from cloud.releases.errors import ReleasesRefused
from cloud.releases.ports import ReleaseFiles

_LOOK_ROOM_BYTES = 16 * 1024 * 1024


def open_release_files(config: CloudConfig) -> ReleaseFiles:
    """The folder, or the bucket, of the configuration."""
    if config.releases.folder is not None:
        return FolderFiles(config.releases.folder)
    from cloud.releases.adapters.s3_files import S3Files

    return S3Files.open(config)


def open_cached_files(config: CloudConfig, room_bytes: int = _LOOK_ROOM_BYTES) -> CachedFiles:
    """The same, with what was read kept in memory up to so many bytes."""
    return CachedFiles(open_release_files(config), room_bytes, time.monotonic)


def set_up_releases(setup: SetUp) -> str:
    """The step of `topscoop cloud setup`: folder or bucket are there. What lies in them is signed, no secret.

    Raises:
        ReleasesRefused: The folder cannot be made.
        ObjectsAway: The store does not answer.
        StoreRefused: Its credentials lack rights.
    """
    folder: Path | None = setup.config.releases.folder
    if folder is not None:
        found = folder.is_dir()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReleasesRefused(
                f"{folder} cannot be made: {error.strerror}",
                remedy="Set releases.folder to one that this user may write to.",
            ) from error
        return f"{folder} {'is there' if found else 'made'}"
    from dataclasses import replace

    from cloud.objects.setup import prepare_plain_bucket

    done = prepare_plain_bucket(replace(setup.config.s3, bucket=setup.config.releases.bucket))
    return "; ".join(f"{name} {words}" for name, words in done.items())
