"""The chain's signed metadata through python-tuf, for the register: `Trust` of the updater's ports."""

import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import TargetFile

from edge_agent.updater.adapters.tuf_client import DurableUpdater, client, instant, milliseconds
from edge_agent.updater.adapters.tuf_fetcher import SourceFetcher
from edge_agent.updater.ports import Signed, SignedFile, Source
from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import Job
from wire_protocol.fleet_messages import MetadataSeen, UpdateReason
from wire_protocol.release_metadata import FIELD, BadReleaseMetadata, model_path, read_listing

CLOCK_TOLERANCE: Final = timedelta(hours=1)
"""A clock that is further ahead of the cloud's is the reason why metadata looks expired."""
_BASE: Final = "repository:"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class TufTrust:
    """One refresh, then as many questions as one likes.

    Args:
        job: Where the root and the kept metadata are; the floor under the clock.
        source: Of new metadata.
        clock_ms: The register's own clock.
        cloud_ms: The cloud's clock as it signed it during this errand; None while it is unknown.
    """

    def __init__(
        self, job: Job, source: Source, clock_ms: Callable[[], int], cloud_ms: Callable[[], int | None]
    ) -> None:
        self._job = job
        self._source = source
        self._clock_ms = clock_ms
        self._cloud_ms = cloud_ms
        self._updater: DurableUpdater | None = None

    def refresh(self) -> Signed:
        """As `Trust.refresh`."""
        reference = instant(max(self._clock_ms(), self._job.signed_ms))
        try:
            self._updater = updater = self._client()
            updater.judge_by(reference)
            updater.refresh()
            return self._signed(updater)
        except ExpiredMetadataError as error:
            self._expired(error)
        except DownloadLengthMismatchError as error:
            raise Refusal(UpdateReason.UNTRUSTED, f"metadata is longer than any: {error}") from error
        except DownloadHTTPError as error:
            raise Refusal(UpdateReason.UNREACHABLE, f"the repository is incomplete: {error}") from error
        except DownloadError as error:
            raise Refusal(UpdateReason.UNREACHABLE, f"metadata could not be fetched: {error}") from error
        except (RepositoryError, BadReleaseMetadata) as error:
            # The chain's keys did not sign it, or it contradicts what was verified before.
            raise Refusal(UpdateReason.UNTRUSTED, f"metadata was refused: {error}") from error
        except OSError as error:
            raise disk_refusal(error) from error

    def file(self, path: str) -> SignedFile | None:
        """As `Trust.file`."""
        assert self._updater is not None
        found = self._updater.get_targetinfo(path)
        if found is None:
            return None
        folder, slash, name = path.rpartition("/")
        digest = _sha256(found)
        return SignedFile(f"targets/{folder}{slash}{digest}.{name}", found.length, digest)

    def _client(self) -> DurableUpdater:
        folder = Path(self._job.metadata_dir)
        folder.mkdir(parents=True, exist_ok=True)
        root = Path(self._job.root_file).read_bytes()
        return client(folder, f"{_BASE}metadata/", SourceFetcher(self._source, _BASE), root)

    def _signed(self, updater: DurableUpdater) -> Signed:
        targets = updater.targets
        files = targets.targets
        policy = targets.unrecognized_fields.get(FIELD)
        listing = read_listing(policy, {path: file.custom for path, file in files.items()})
        digests = {release: _sha256(files[model_path(release)]) for release in listing.releases}
        known = {signed.type: signed for signed in updater.known()}
        seen = MetadataSeen(
            root=known["root"].version,
            timestamp=known["timestamp"].version,
            snapshot=known["snapshot"].version,
            targets=known["targets"].version,
            expires_at=min(milliseconds(signed.expires) for signed in known.values()),
            floor=max(self._job.floor, listing.policy.minimum_release),
        )
        return Signed(listing, digests, seen)

    def _expired(self, error: ExpiredMetadataError) -> NoReturn:
        """Whose fault it is: the metadata's, or the clock's."""
        cloud_ms = self._cloud_ms()
        if cloud_ms is not None and self._updater is not None:
            there = instant(cloud_ms)
            ahead = instant(max(self._clock_ms(), self._job.signed_ms)) - there
            if ahead > CLOCK_TOLERANCE and not any(
                signed.is_expired(there) for signed in self._updater.known()
            ):
                raise Refusal(
                    UpdateReason.CLOCK,
                    f"the register's clock is {_in_words(ahead)} ahead of the cloud's: {error}",
                ) from error
        raise Refusal(UpdateReason.METADATA_EXPIRED, f"the signed metadata has expired: {error}") from error


def disk_refusal(error: OSError) -> Refusal:
    """What a full or a broken disk means."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in _FULL:
        return Refusal(UpdateReason.NO_ROOM, f"{where}no room is left on the disk")
    return Refusal(UpdateReason.DISK, f"{where}{(error.strerror or str(error)).lower()}")


def _sha256(file: TargetFile) -> str:
    digest = file.hashes.get("sha256")
    if digest is None:
        raise RepositoryError(f"{file.path} is signed without a SHA-256")
    return digest


def _in_words(ahead: timedelta) -> str:
    return f"{ahead.days} days" if ahead.days > 1 else f"{ahead.total_seconds() / 3600:.0f} hours"
