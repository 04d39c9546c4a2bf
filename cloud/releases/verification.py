"""What a chain's repository says, verified from its trusted root by python-tuf, and never older than before.

python-tuf keeps its rollback protection in a cache of files; here it is in the database (`Versions`), which
every instance shares and which a lost disk does not take along. So each look begins at the trusted root.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from cloud.releases.errors import FileMissing, NotVerified
from cloud.releases.ports import ReleaseFiles
from inference import Manifest
from inference.errors import ManifestError
from wire_protocol.release_metadata import (
    FIELD,
    BadReleaseMetadata,
    ReleasePolicy,
    ReleaseTarget,
    model_path,
    read_listing,
)

_BASE: Final = "store:///"
_METADATA: Final = "metadata"
_MISSING: Final = 404
_METADATA_MAX_BYTES: Final = 5_000_000
"""More than a thousand listed releases."""
_VERSION_MAX: Final = 2**31 - 1
"""What a row holds. No chain signs so often; a stolen key may (fast-forward)."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the four roles; 0 where one was never seen."""

    root: int = 0
    timestamp: int = 0
    snapshot: int = 0
    targets: int = 0

    def covers(self, other: "Versions") -> bool:
        """Whether none of them is older than the other's."""
        return (
            self.root >= other.root
            and self.timestamp >= other.timestamp
            and self.snapshot >= other.snapshot
            and self.targets >= other.targets
        )


@dataclass(frozen=True, slots=True)
class SignedRelease:
    """One listed release."""

    target: ReleaseTarget
    manifest: Manifest
    path: str
    digest: str
    """SHA-256 of its network, in hex."""
    size: int


@dataclass(frozen=True, slots=True)
class VerifiedRepository:
    """What the chain's keys say now.

    Attributes:
        expires_at_ms: When the first of the metadata ends.
    """

    versions: Versions
    expires_at_ms: int
    policy: ReleasePolicy
    releases: tuple[SignedRelease, ...]


def verify_repository(tenant: str, root: bytes, known: Versions, files: ReleaseFiles) -> VerifiedRepository:
    """What the repository says.

    Args:
        tenant: The chain.
        root: The trusted root metadata, as it was handed over.
        known: The newest versions that were ever verified.
        files: Where the repository lies.

    Raises:
        NotVerified: It cannot be believed, is older than what was seen, or says what cannot be.
        ReleasesAway: The store does not answer.
        ReleasesRefused: The store refuses us.
    """
    with tempfile.TemporaryDirectory(prefix="topscoop-releases-") as folder:
        try:
            updater = Updater(
                metadata_dir=folder,
                metadata_base_url=f"{_BASE}{_METADATA}/",
                fetcher=_Fetcher(files, tenant),
                config=UpdaterConfig(targets_max_length=_METADATA_MAX_BYTES),
                bootstrap=root,
            )
            updater.refresh()
        except (tuf.DownloadError, tuf.RepositoryError) as error:
            raise _translated(error) from error
        seen = _Seen.read(Path(folder))
    _check_versions(seen, known)
    try:
        listing = read_listing(
            seen.targets.unrecognized_fields.get(FIELD),
            {path: file.unrecognized_fields.get("custom") for path, file in seen.targets.targets.items()},
        )
    except BadReleaseMetadata as error:
        raise NotVerified(str(error), remedy=error.remedy) from error
    return VerifiedRepository(
        seen.versions,
        min(int(role.expires.timestamp() * 1000) for role in seen.roles),
        listing.policy,
        tuple(
            _release(tenant, release, target, seen.targets.targets[model_path(release)])
            for release, target in listing.releases.items()
        ),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What python-tuf verified and wrote down."""

    roots: tuple[Root, ...]
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets

    @classmethod
    def read(cls, folder: Path) -> "_Seen":
        history = sorted((folder / "root_history").iterdir(), key=lambda path: int(path.name.split(".")[0]))
        roots = tuple(Metadata[Root].from_file(str(path)).signed for path in history)
        return cls(
            roots,
            Metadata[Timestamp].from_file(str(folder / "timestamp.json")).signed,
            Metadata[Snapshot].from_file(str(folder / "snapshot.json")).signed,
            Metadata[Targets].from_file(str(folder / "targets.json")).signed,
        )

    @property
    def roles(self) -> tuple[Root | Timestamp | Snapshot | Targets, ...]:
        return (self.roots[-1], self.timestamp, self.snapshot, self.targets)

    @property
    def versions(self) -> Versions:
        return Versions(*(role.version for role in self.roles))

    def replaced_since(self, root: int) -> frozenset[str]:
        """Roles whose keys are others than at this root; () where that root is not in the history."""
        before = next((one for one in self.roots if one.version == root), None)
        if before is None:
            return frozenset()
        now = self.roots[-1]
        return frozenset(
            name for name, role in before.roles.items() if set(role.keyids) != set(now.roles[name].keyids)
        )


def _check_versions(seen: _Seen, known: Versions) -> None:
    """None is older than it was, but for what whoever stole a replaced key may have signed (5.3.11).

    The largest version of all can only be recovered from so; a role whose keys stayed never sinks.
    """
    now = seen.versions
    if max(now.root, now.timestamp, now.snapshot, now.targets) > _VERSION_MAX:
        raise NotVerified(
            f"a version of the metadata is beyond {_VERSION_MAX}: somebody signed to lock the chain in",
            remedy="Replace the keys of that role in a new root, as docs/key-ceremony.md shows.",
        )
    if now.root < known.root:
        raise NotVerified(
            f"the repository was rolled back: its root is version {now.root}, version {known.root} was seen",
            remedy="Put back the newest metadata; somebody changed the store.",
        )
    replaced = seen.replaced_since(known.root)
    may_sink = {
        # A snapshot's version is named by the timestamp, so a stolen key of either spoils both.
        "timestamp": bool(replaced & {Timestamp.type, Snapshot.type}),
        "snapshot": bool(replaced & {Timestamp.type, Snapshot.type}),
        "targets": Targets.type in replaced,
    }
    for name, sinks in may_sink.items():
        old, new = getattr(known, name), getattr(now, name)
        if new < old and not sinks:
            raise NotVerified(
                f"the repository was rolled back: {name} is version {new}, version {old} was seen",
                remedy="Put back the newest metadata; somebody changed the store.",
            )


def _release(tenant: str, release: int, target: ReleaseTarget, file: TargetFile) -> SignedRelease:
    try:
        manifest = Manifest.from_json(target.manifest.encode())
    except ManifestError as error:
        raise NotVerified(f"release {release}: {error}", remedy=error.remedy) from error
    digest = file.hashes.get("sha256", "")
    problem = None
    if manifest.tenant != tenant:
        problem = f"its manifest is of another chain, {manifest.tenant}"
    elif (manifest.model.sha256, manifest.model.bytes) != (digest, file.length):
        problem = "its manifest describes another network"
    if problem is not None:
        raise NotVerified(f"release {release}: {problem}", remedy="Withdraw it, and publish it anew.")
    return SignedRelease(target, manifest, model_path(release), digest, file.length)


class _Fetcher(FetcherInterface):
    """python-tuf's way to the files; trouble of the store goes through it as it is."""

    def __init__(self, files: ReleaseFiles, tenant: str) -> None:
        self._files = files
        self._tenant = tenant

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = urlsplit(url).path.removeprefix("/")
        try:
            piece = self._files.get(self._tenant, path, 0, _METADATA_MAX_BYTES + 1)
        except FileMissing as error:
            raise tuf.DownloadHTTPError(str(error), _MISSING) from error
        yield piece.data


def _translated(error: Exception) -> NotVerified:
    """In plain words, with what to do."""
    match error:
        case tuf.DownloadHTTPError():
            return NotVerified(
                f"the repository lacks a file: {error}",
                remedy="Publish the chain's first release, or put the file back: `topscoop model publish`.",
            )
        case tuf.ExpiredMetadataError():
            return NotVerified(
                f"the signed metadata has ended: {error}",
                remedy="Sign it again: `topscoop model renew`; see that the daily renewal runs.",
            )
        case tuf.BadVersionNumberError():
            return NotVerified(
                f"versions of the metadata contradict each other: {error}",
                remedy="Put back the newest metadata; somebody changed the store.",
            )
        case tuf.UnsignedMetadataError():
            return NotVerified(
                f"the chain's keys did not sign it: {error}",
                remedy="Somebody changed the store, or another chain's repository lies there.",
            )
    return NotVerified(f"the metadata cannot be believed: {error}", remedy="Publish the repository anew.")


def report_value(release: SignedRelease) -> dict[str, Any]:
    """The signed report as a row holds it: measures as numbers, with who signed it and when."""
    report = release.target.report
    value = {name: getattr(report, name) for name in report.__dataclass_fields__}
    return {
        **value,
        "unchanged": dict(report.unchanged),
        "published": release.target.published,
        "signer": release.target.signer,
    }


def manifest_value(release: SignedRelease) -> dict[str, Any]:
    """The manifest as a row holds it."""
    value: dict[str, Any] = json.loads(release.target.manifest)
    return value
