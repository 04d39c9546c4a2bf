"""The changes that a chain's releases can have, and their rules; pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tuf.api.metadata import MetaFile, Snapshot, TargetFile, Targets, Timestamp

from model_registry.errors import ReleaseRefused
from model_registry.releases.history import differences
from model_registry.releases.state import State, listing_of, versions
from wire_protocol.release_metadata import (
    FIELD,
    SERVICE_KEYS_PATH,
    Listing,
    ReleasePolicy,
    ReleaseTarget,
    golden_path,
    model_path,
)

CHANGE_FIELD: Final = "topscoop-change"
CHANGE_FORMAT: Final = "topscoop.change/1"
ALIASES: Final = ("champion", "candidate")

TARGETS_LIFE: Final = timedelta(days=365)
ROOT_LIFE: Final = timedelta(days=730)
SNAPSHOT_LIFE: Final = timedelta(days=30)
TIMESTAMP_LIFE: Final = timedelta(days=7)
SNAPSHOT_RENEWAL: Final = timedelta(days=15)
"""A snapshot with less time left is signed again; each stays in the store for good, so not every day."""
TIMESTAMP_RENEWAL: Final = timedelta(days=6)
"""A timestamp is signed again every day: the online keys may be away for six before registers notice."""


@dataclass(frozen=True)
class Edit:
    """New targets metadata, not signed yet, and the files that it newly names."""

    targets: Targets
    files: Mapping[str, bytes]
    words: tuple[str, ...]


class Editor:
    """One change of a chain's releases, from the present state.

    Args:
        state: What is published; None for a chain's first targets.
        by: Who makes the change, as the log will say.
        now: When.
    """

    def __init__(self, state: State | None, *, by: str, now: datetime) -> None:
        self._by, self._now = by, now
        self._before: Listing | None
        if state is None:
            self._before = None
            self._targets = Targets(version=1, expires=now)
            self._policy = ReleasePolicy()
        else:
            self._before = state.listing
            self._targets = copy.deepcopy(state.targets.signed)
            # Above every version that was ever stored, also by a publication that was not brought to its end.
            self._targets.version = max(versions(state.names, "targets")) + 1
            self._policy = self._before.policy
        self._files: dict[str, bytes] = {}

    def release(self, target: ReleaseTarget, network: bytes, golden: bytes) -> None:
        """List a new release. Raises ReleaseRefused."""
        known = [*self._releases(), *self._policy.withdrawn]
        if target.release in known:
            raise ReleaseRefused(
                f"release {target.release} exists: a number is never used twice",
                remedy=f"Take {max(known) + 1} or more.",
            )
        if known and target.release < max(known):
            raise ReleaseRefused(
                f"release {target.release} is below {max(known)}: numbers grow",
                remedy=f"Take {max(known) + 1} or more.",
            )
        if target.release < self._policy.minimum_release:
            raise ReleaseRefused(
                f"release {target.release} is below the minimum, {self._policy.minimum_release}",
                remedy=f"Take {self._policy.minimum_release} or more.",
            )
        self._add(model_path(target.release), network, target.to_value())
        self._add(golden_path(target.release), golden)

    def withdraw(self, release: int, reason: str) -> None:
        """Take a release back, for good; an alias of it goes. Raises ReleaseRefused."""
        self._listed(release)
        if not reason.strip() or not reason.isprintable() or len(reason) > 200:
            raise ReleaseRefused(
                "a withdrawal needs a reason of one line", remedy="Say in a sentence why: --reason."
            )
        for path in (model_path(release), golden_path(release)):
            del self._targets.targets[path]
        self._policy = replace(self._policy, withdrawn={**self._policy.withdrawn, release: reason})
        self._drop_aliases(lambda named: named == release)

    def set_minimum(self, release: int) -> None:
        """Let no register go below a release any more. Raises ReleaseRefused."""
        if release <= self._policy.minimum_release:
            raise ReleaseRefused(
                f"the minimum is {self._policy.minimum_release} already, and never sinks",
                remedy="Nothing needs to be done, or take a higher release.",
            )
        if not self._policy.allows(release):
            raise ReleaseRefused(f"release {release} is withdrawn", remedy="Take a listed one.")
        self._listed(release)
        self._policy = replace(self._policy, minimum_release=release)
        self._drop_aliases(lambda named: named < release)

    def set_alias(self, alias: str, release: int | None) -> None:
        """Point an alias to a listed release, or to none. Raises ReleaseRefused."""
        if release is not None:
            self._listed(release)
            if not self._policy.allows(release):
                raise ReleaseRefused(
                    f"release {release} is below the minimum, {self._policy.minimum_release}",
                    remedy="Take one that registers may run.",
                )
        self._point(alias, release)

    def set_service_keys(self, document: bytes) -> None:
        """Publish the public keys of the cloud's services for this chain."""
        self._targets.targets.pop(SERVICE_KEYS_PATH, None)
        self._add(SERVICE_KEYS_PATH, document)

    def done(self) -> Edit:
        """The new metadata. Raises ReleaseRefused where nothing would change."""
        self._targets.unrecognized_fields[FIELD] = self._policy.to_value()
        after = listing_of(self._targets)
        words = tuple(differences(self._before, after))
        if SERVICE_KEYS_PATH in self._files:
            words += ("the cloud's service keys are published",)
        if not words and self._before is not None:
            words = ("signed again, nothing changed",)
        self._targets.expires = (self._now + TARGETS_LIFE).replace(microsecond=0)
        self._targets.unrecognized_fields[CHANGE_FIELD] = {
            "format": CHANGE_FORMAT,
            "by": self._by,
            "at": self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Edit(self._targets, self._files, words)

    def _drop_aliases(self, gone: Callable[[int], bool]) -> None:
        for alias in ALIASES:
            named = getattr(self._policy, alias)
            if named is not None and gone(named):
                self._point(alias, None)

    def _point(self, alias: str, release: int | None) -> None:
        if alias == "champion":
            self._policy = replace(self._policy, champion=release)
        else:
            self._policy = replace(self._policy, candidate=release)

    def _releases(self) -> Mapping[int, ReleaseTarget]:
        return {} if self._before is None else self._before.releases

    def _listed(self, release: int) -> None:
        if model_path(release) not in self._targets.targets:
            listed = ", ".join(map(str, self._releases())) or "none"
            why = self._policy.withdrawn.get(release)
            said = f"was withdrawn: {why}" if why else "is not listed"
            raise ReleaseRefused(f"release {release} {said}", remedy=f"Listed are: {listed}.")

    def _add(self, path: str, content: bytes, custom: dict[str, Any] | None = None) -> None:
        file = TargetFile.from_data(path, content, ["sha256"])
        if custom is not None:
            file.unrecognized_fields["custom"] = custom
        self._targets.targets[path] = file
        self._files[stored_target(file)] = content


def stored_target(file: TargetFile) -> str:
    """Where a target's bytes lie, as consistent snapshots have it."""
    folder, slash, name = file.path.rpartition("/")
    return f"targets/{folder}{slash}{file.hashes['sha256']}.{name}"


def next_snapshot(names: Iterable[str], targets_version: int, now: datetime) -> Snapshot:
    """A snapshot of these targets, above every version among the stored `names`."""
    return Snapshot(
        version=max(versions(names, "snapshot"), default=0) + 1,
        expires=(now + SNAPSHOT_LIFE).replace(microsecond=0),
        meta={"targets.json": MetaFile(targets_version)},
    )


def next_timestamp(state: State | None, snapshot_version: int, now: datetime) -> Timestamp:
    """A timestamp of this snapshot."""
    return Timestamp(
        version=1 if state is None else state.timestamp.signed.version + 1,
        expires=(now + TIMESTAMP_LIFE).replace(microsecond=0),
        snapshot_meta=MetaFile(snapshot_version),
    )
