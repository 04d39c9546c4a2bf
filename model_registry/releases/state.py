"""What a chain's repository says now: read from its store, and believed only as far as it is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from model_registry.errors import NoRepository, RepositoryBroken, StoreFileMissing
from model_registry.releases.ports import ReleaseStore
from wire_protocol.release_metadata import FIELD, Listing, RootNote, read_listing

TIMESTAMP: Final = "metadata/timestamp.json"
_REMEDY: Final = "Restore it from a backup of the store; docs/key-ceremony.md says what to do after a theft."


def versioned(role: str, version: int) -> str:
    """Where a version of a role's metadata lies."""
    return f"metadata/{version}.{role}.json"


def listing_of(targets: Targets) -> Listing:
    """What targets metadata says about releases. Raises BadReleaseMetadata."""
    customs = {path: file.custom for path, file in targets.targets.items()}
    return read_listing(targets.unrecognized_fields.get(FIELD), customs)


def root_note(root: Root) -> RootNote:
    """What a root says beside its keys. Raises BadReleaseMetadata."""
    return RootNote.from_value(root.unrecognized_fields.get(FIELD))


@dataclass(frozen=True)
class State:
    """The present metadata, each with the bytes that are stored.

    `stale` names roles whose metadata only an earlier root's keys signed: a change of keys was not published
    to its end, and publishing again ends it.
    """

    roots: tuple[Metadata[Root], ...]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    stored: dict[str, bytes]
    names: frozenset[str]
    stale: frozenset[str]

    @property
    def root(self) -> Root:
        """The newest root."""
        return self.roots[-1].signed

    @property
    def chain(self) -> str:
        """The tenant."""
        return root_note(self.root).chain

    @property
    def listing(self) -> Listing:
        """The releases."""
        return listing_of(self.targets.signed)


def versions(names: Iterable[str], role: str) -> list[int]:
    """The stored versions of a role, in order."""
    pattern = re.compile(rf"metadata/([1-9]\d*)\.{role}\.json\Z")
    return sorted(int(found[1]) for name in names if (found := pattern.match(name)))


def read_state(store: ReleaseStore) -> State:
    """Read and verify a chain's repository; expiry is not asked about.

    Raises:
        NoRepository: There is none.
        RepositoryBroken: Something is missing, or its keys did not sign it.
    """
    names = store.names("metadata")
    roots = read_roots(store, names)
    stored: dict[str, bytes] = {}
    stale = set()

    def read(role: str, path: str) -> Metadata[Any]:
        try:
            stored[role] = store.get(path)
        except StoreFileMissing as error:
            raise RepositoryBroken(f"the repository lacks {path}", remedy=_REMEDY) from error
        metadata = parse(stored[role], path)
        if metadata.signed.type != role:
            raise RepositoryBroken(f"{path} is no {role}", remedy=_REMEDY)
        if not is_signed(metadata, [roots[-1]]):
            if not is_signed(metadata, roots[:-1]):
                raise RepositoryBroken(f"{path} is not signed by the keys of the root", remedy=_REMEDY)
            stale.add(role)
        return metadata

    timestamp = read("timestamp", TIMESTAMP)
    snapshot = read("snapshot", versioned("snapshot", timestamp.signed.snapshot_meta.version))
    targets = read("targets", versioned("targets", snapshot.signed.meta["targets.json"].version))
    return State(roots, timestamp, snapshot, targets, stored, names, frozenset(stale))


def read_targets(store: ReleaseStore, state: State, version: int) -> Metadata[Targets]:
    """An earlier version of the targets. Raises RepositoryBroken where the keys did not sign it."""
    path = versioned("targets", version)
    if path not in state.names:
        raise RepositoryBroken(f"the repository has no {path}", remedy="`topscoop model log` shows them all.")
    metadata: Metadata[Targets] = parse(store.get(path), path)
    if metadata.signed.type != "targets" or not is_signed(metadata, state.roots):
        raise RepositoryBroken(f"{path} is not signed by the chain's keys", remedy=_REMEDY)
    return metadata


def read_roots(store: ReleaseStore, names: frozenset[str]) -> tuple[Metadata[Root], ...]:
    """The roots from the first on, each signed by the one before. Raises NoRepository, RepositoryBroken."""
    found = versions(names, "root")
    if not found:
        raise NoRepository(
            "there is no release repository of this chain here",
            remedy="Check --store and --chain, or make one: docs/key-ceremony.md.",
        )
    roots: list[Metadata[Root]] = []
    for version in found:
        path = versioned("root", version)
        root: Metadata[Root] = parse(store.get(path), path)
        if root.signed.type != "root" or not root.signed.version == version == len(roots) + 1:
            raise RepositoryBroken(f"{path} is not the root that follows", remedy=_REMEDY)
        check_root(root, roots[-1] if roots else None)
        roots.append(root)
    return tuple(roots)


def check_root(root: Metadata[Root], before: Metadata[Root] | None) -> None:
    """Whether a root may follow another, or be the first. Raises RepositoryBroken."""
    for judge in [root] if before is None else [before, root]:
        if missing := missing_signatures(root, judge.signed):
            raise RepositoryBroken(
                f"root {root.signed.version} lacks {missing} signature(s) by the keys of root "
                f"{judge.signed.version}",
                remedy="Have it signed by as many of the root keys as the root asks for.",
            )
    if before is not None and root.signed.version != before.signed.version + 1:
        raise RepositoryBroken(f"root {root.signed.version} does not follow root {before.signed.version}")


def parse(content: bytes, what: str) -> Metadata[Any]:
    """Metadata, not verified. Raises RepositoryBroken."""
    try:
        return Metadata.from_bytes(content)
    except RepositoryError as error:
        raise RepositoryBroken(f"{what} is no metadata: {error}", remedy=_REMEDY) from error


def is_signed(metadata: Metadata[Any], roots: Sequence[Metadata[Root]]) -> bool:
    """Whether the keys of one of these roots signed it."""
    return any(not missing_signatures(metadata, root.signed) for root in roots)


def missing_signatures(metadata: Metadata[Any], judge: Root) -> int:
    """How many valid signatures of the role's keys in `judge` are missing."""
    result = judge.get_verification_result(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
    return max(0, int(result.threshold) - len(result.signed))
