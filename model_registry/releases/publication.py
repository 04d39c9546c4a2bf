"""Publishing a signed draft, and renewing what the online keys sign.

A client reads the timestamp first, and from it only names that never change. So everything else is stored
before it, and the moment at which the timestamp is replaced is the moment of publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Signed, Targets

from model_registry.adapters.model_bundle import signature_path
from model_registry.errors import (
    AlreadyThere,
    ChangedMeanwhile,
    NoRepository,
    RegistryError,
    StoreFileMissing,
    UnusableDraft,
    UnusableKey,
)
from model_registry.releases.draft import Draft, to_bytes
from model_registry.releases.edits import (
    SNAPSHOT_RENEWAL,
    TIMESTAMP_RENEWAL,
    next_snapshot,
    next_timestamp,
    stored_target,
)
from model_registry.releases.ports import ReleaseStore
from model_registry.releases.state import (
    TIMESTAMP,
    State,
    check_root,
    missing_signatures,
    read_state,
    read_targets,
    root_note,
    versioned,
)

_ATTEMPTS: Final = 5
"""Of a publication that meets somebody else's: each begins again with what is there then."""
_MEANWHILE: Final = "Make the draft again: it would undo what was published since."


@dataclass(frozen=True)
class Published:
    """What is to be seen now."""

    root: int
    targets: int
    snapshot: int
    timestamp: int
    expires: datetime


def publish(store: ReleaseStore, draft: Draft, online: list[Any], *, now: datetime) -> Published:
    """Publish a signed draft; again after it was cut off at any point, with the same result.

    Args:
        store: The chain's.
        draft: Signed by as many offline keys as it takes.
        online: Signers with the keys of snapshot and timestamp.
        now: When.

    Raises:
        UnusableDraft: It lacks signatures, or somebody else published since it was made.
        UnusableKey: The online keys are not those of the root.
        RepositoryBroken: What is there cannot be built upon.
    """
    draft.check()
    if lacking := draft.missing():
        said = ", ".join(f"{count} of {role}" for role, count in lacking.items())
        raise UnusableDraft(
            f"signatures are missing: {said}", remedy="Sign the draft with more keys: topscoop model sign."
        )
    _check_signatures_of_models(draft)
    trouble: ChangedMeanwhile | None = None
    for _ in range(_ATTEMPTS):
        try:
            return _publish(store, draft, online, now)
        except ChangedMeanwhile as error:
            trouble = error
    assert trouble is not None
    raise trouble


def _publish(store: ReleaseStore, draft: Draft, online: list[Any], now: datetime) -> Published:
    state = _state(store, draft)
    root = _root_to_be(state, draft)
    targets = _targets_to_be(store, state, draft)
    if missing_signatures(targets, root.signed):
        raise UnusableDraft(
            "the new root changes the keys of the targets, but the targets are not signed by them",
            remedy="Let the draft sign the targets again: topscoop model root change makes both.",
        )
    signer_of = {role: _signer(role, root.signed, online) for role in ("snapshot", "timestamp")}
    try:
        for path, content in sorted(draft.files.items()):
            store.put_new(path, content)
        store.put_new(versioned("targets", targets.signed.version), to_bytes(targets))
        snapshot = _signed(
            next_snapshot(store.names("metadata"), targets.signed.version, now), signer_of["snapshot"]
        )
        store.put_new(versioned("snapshot", snapshot.signed.version), to_bytes(snapshot))
        # From here on clients use the new keys; a timestamp by old ones they refuse, and keep what they have.
        store.put_new(versioned("root", root.signed.version), to_bytes(root))
    except AlreadyThere as error:
        raise UnusableDraft(f"somebody else published meanwhile: {error}", remedy=_MEANWHILE) from error
    timestamp = _signed(next_timestamp(state, snapshot.signed.version, now), signer_of["timestamp"])
    store.replace(TIMESTAMP, to_bytes(timestamp), expected=state.stored["timestamp"] if state else None)
    return _result(root, targets, snapshot, timestamp)


def renew(store: ReleaseStore, online: list[Any], *, now: datetime, force: bool = False) -> Published | None:
    """Sign snapshot and timestamp again where they come near their end; None where nothing was due.

    Raises:
        UnusableKey: The online keys are not those of the root.
        ChangedMeanwhile: Somebody published in the same moment; nothing was lost.
    """
    state = read_state(store)
    root = state.roots[-1]
    snapshot = state.snapshot
    if force or "snapshot" in state.stale or snapshot.signed.expires - now < SNAPSHOT_RENEWAL:
        snapshot = _signed(
            next_snapshot(state.names, state.targets.signed.version, now),
            _signer("snapshot", root.signed, online),
        )
        store.put_new(versioned("snapshot", snapshot.signed.version), to_bytes(snapshot))
    elif "timestamp" not in state.stale and state.timestamp.signed.expires - now >= TIMESTAMP_RENEWAL:
        return None
    timestamp = _signed(
        next_timestamp(state, snapshot.signed.version, now), _signer("timestamp", root.signed, online)
    )
    store.replace(TIMESTAMP, to_bytes(timestamp), expected=state.stored["timestamp"])
    return _result(root, state.targets, snapshot, timestamp)


def _state(store: ReleaseStore, draft: Draft) -> State | None:
    try:
        return read_state(store)
    except NoRepository:
        if draft.base_root is not None:
            raise
        return None
    except RegistryError:
        # The very first publication may have been cut off between its root and its timestamp.
        if draft.base_root is None and _timestamp_is_missing(store):
            return None
        raise


def _timestamp_is_missing(store: ReleaseStore) -> bool:
    try:
        store.get(TIMESTAMP)
    except StoreFileMissing:
        return True
    return False


def _root_to_be(state: State | None, draft: Draft) -> Metadata[Root]:
    if state is None:
        if draft.root is None or draft.targets is None:
            raise UnusableDraft("the draft does not begin a repository", remedy=_MEANWHILE)
        check_root(draft.root, None)
        return draft.root
    present = state.roots[-1]
    if draft.root is None:
        if draft.base_root is None or to_bytes(draft.base_root) != to_bytes(present):
            raise UnusableDraft("the root was changed since the draft was made", remedy=_MEANWHILE)
        return present
    if draft.root.signed.version == present.signed.version:
        if to_bytes(draft.root) != to_bytes(present):
            raise UnusableDraft("another root of that version is published", remedy=_MEANWHILE)
        return present
    check_root(draft.root, present)
    if draft.base_root is None or to_bytes(draft.base_root) != to_bytes(present):
        raise UnusableDraft("the root was changed since the draft was made", remedy=_MEANWHILE)
    return draft.root


def _targets_to_be(store: ReleaseStore, state: State | None, draft: Draft) -> Metadata[Targets]:
    if state is None:
        assert draft.targets is not None
        return draft.targets
    present = to_bytes(state.targets)
    # The very bytes: what is new, and so must pass the gate, was told by comparing with them.
    as_told = draft.base_targets is not None and to_bytes(draft.base_targets) == present
    again = draft.targets is not None and to_bytes(draft.targets) == present
    if not (as_told or again or _replaces_a_stolen_key(store, state, draft)):
        raise UnusableDraft("somebody else published since the draft was made", remedy=_MEANWHILE)
    return draft.targets or state.targets


def _replaces_a_stolen_key(store: ReleaseStore, state: State, draft: Draft) -> bool:
    """Whether the new root removes the key that signed the present targets, and an older version is the base.

    What a thief published then needs not even be readable.
    """
    if draft.root is None or draft.targets is None or draft.base_targets is None:
        return False
    if not missing_signatures(state.targets, draft.root.signed):
        return False
    base = read_targets(store, state, draft.base_targets.signed.version)
    return (
        to_bytes(base) == to_bytes(draft.base_targets)
        and draft.targets.signed.version > state.targets.signed.version
    )


def _check_signatures_of_models(draft: Draft) -> None:
    """Where the root names a key for OMS signatures, each new model has one beside it."""
    from model_registry.adapters.model_bundle import verify_network

    public = root_note(draft.judge).model_signing_key
    if public is None:
        return
    for release, file in draft.new_releases.items():
        network = stored_target(file)
        signature = draft.files.get(signature_path(network))
        if signature is None:
            raise UnusableDraft(
                f"release {release} has no OMS signature",
                remedy="Sign the draft with the model-signing key too: topscoop model sign.",
            )
        verify_network(draft.files[network], signature, public)


def _signer(role: str, root: Root, online: list[Any]) -> Any:
    for signer in online:
        if signer.public_key.keyid in root.roles[role].keyids:
            return signer
    raise UnusableKey(
        f"none of the given keys is the root's key for the {role}",
        remedy="Name the folder that holds snapshot.pem and timestamp.pem: --keys.",
    )


def _signed(signed: Signed, signer: Any) -> Metadata[Any]:
    metadata: Metadata[Any] = Metadata(signed)
    try:
        metadata.sign(signer)
    except UnsignedMetadataError as error:
        raise UnusableKey(f"cannot sign: {error}", remedy="Check the online keys.") from error
    return metadata


def _result(
    root: Metadata[Any], targets: Metadata[Any], snapshot: Metadata[Any], timestamp: Metadata[Any]
) -> Published:
    return Published(
        root.signed.version,
        targets.signed.version,
        snapshot.signed.version,
        timestamp.signed.version,
        min(one.signed.expires for one in (root, targets, snapshot, timestamp)),
    )
