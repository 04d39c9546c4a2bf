"""The history of a chain's signed metadata, read from its store."""

from __future__ import annotations

from typing import Any, Final

from tuf.api.metadata import Metadata, Root

from model_registry.releases.draft import root_words
from model_registry.releases.edits import CHANGE_FIELD
from model_registry.releases.history import differences
from model_registry.releases.ports import ReleaseStore
from model_registry.releases.state import (
    State,
    is_signed,
    listing_of,
    parse,
    read_state,
    versioned,
    versions,
)
from wire_protocol.release_metadata import BadReleaseMetadata, Listing

_SAID_MAX: Final = 100


def read_log(store: ReleaseStore) -> dict[str, Any]:
    """All versions of root and targets with what each changed, and what holds now; JSON values.

    Raises:
        NoRepository: There is none.
        RepositoryBroken: Present metadata is not signed by its keys.
    """
    state = read_state(store)
    listing: Listing | None
    try:
        listing = state.listing
    except BadReleaseMetadata:
        listing = None
    expiring: list[Metadata[Any]] = [state.roots[-1], state.targets, state.snapshot, state.timestamp]
    return {
        "chain": state.chain,
        "roots": _roots(state.roots),
        "targets": _targets(store, state),
        "releases": list(listing.releases) if listing else None,
        "policy": listing.policy.to_value() if listing else None,
        "expires": {one.signed.type: f"{one.signed.expires:%Y-%m-%dT%H:%M:%SZ}" for one in expiring},
        "keys": {role: list(state.root.roles[role].keyids) for role in state.root.roles},
    }


def _roots(roots: tuple[Metadata[Root], ...]) -> list[dict[str, Any]]:
    before: Metadata[Root] | None = None
    entries = []
    for root in roots:
        entries.append({"role": "root", "version": root.signed.version, "changes": root_words(before, root)})
        before = root
    return entries


def _targets(store: ReleaseStore, state: State) -> list[dict[str, Any]]:
    seen = {
        parse(store.get(versioned("snapshot", one)), "snapshot").signed.meta["targets.json"].version
        for one in versions(state.names, "snapshot")
    }
    entries = []
    before = None
    for version in versions(state.names, "targets"):
        metadata = parse(store.get(versioned("targets", version)), versioned("targets", version))
        if metadata.signed.type != "targets" or not is_signed(metadata, state.roots):
            entries.append(
                _entry(
                    version, {}, ["NOT SIGNED by any key of the chain: no client takes it"], published=False
                )
            )
            continue
        try:
            after = listing_of(metadata.signed)
        except BadReleaseMetadata as error:
            entries.append(_entry(version, {}, [f"UNREADABLE: {error}"], published=version in seen))
            continue
        change = metadata.signed.unrecognized_fields.get(CHANGE_FIELD, {})
        words = list(differences(before, after)) or ["no release changed"]
        published = version in seen and version <= state.targets.signed.version
        entries.append(_entry(version, change, words, published=published))
        if published:
            before = after
    return entries


def _entry(version: int, change: Any, words: list[str], *, published: bool) -> dict[str, Any]:
    said = change if isinstance(change, dict) else {}
    return {
        "role": "targets",
        "version": version,
        "published": published,
        "at": _line(said.get("at")),
        "by": _line(said.get("by")),
        "changes": words,
    }


def _line(said: Any) -> str | None:
    """What somebody with a key wrote, fit for a terminal: he may be the thief that the log is read for."""
    if not isinstance(said, str):
        return None
    return "".join(one if one.isprintable() else "?" for one in said)[:_SAID_MAX]
