"""What changed between two listings of a chain's releases, in words; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wire_protocol.release_metadata import Listing, ReleasePolicy, ReleaseTarget

_NOTHING = Listing(ReleasePolicy(), {})


def differences(before: Listing | None, after: Listing) -> Iterator[str]:
    """Each difference as one sentence; a withdrawal that would be undone is one too."""
    yield from _releases(before or _NOTHING, after)
    yield from _policy((before or _NOTHING).policy, after.policy)


def reversals(before: Listing, after: Listing) -> Iterator[str]:
    """What no honest change does: other bytes under a number, a withdrawal undone, a lower minimum."""
    for release, target in after.releases.items():
        if release in before.releases and before.releases[release] != target:
            yield f"release {release} is another than before"
        if release in before.policy.withdrawn:
            yield f"release {release} was withdrawn, and is listed again"
    for release in (*before.releases, *before.policy.withdrawn):
        if release not in after.releases and release not in after.policy.withdrawn:
            yield f"release {release} is gone without a reason"
    highest = max((*after.releases, *after.policy.withdrawn), default=0)
    if after.policy.minimum_release > highest:
        yield f"the minimum, {after.policy.minimum_release}, is above every release, and would never sink"
    if after.policy.minimum_release < before.policy.minimum_release:
        yield f"the minimum sinks from {before.policy.minimum_release}"


def _releases(before: Listing, after: Listing) -> Iterator[str]:
    known = before.releases
    for release, target in after.releases.items():
        if release not in known:
            yield f"release {release} is published: {describe(target)}"
        elif known[release] != target:
            yield f"release {release} is ANOTHER THAN BEFORE: {describe(target)}"
    for release in known:
        if release not in after.releases and release not in after.policy.withdrawn:
            yield f"release {release} is NO LONGER LISTED, without a reason"


def _policy(before: ReleasePolicy, after: ReleasePolicy) -> Iterator[str]:
    for release, reason in after.withdrawn.items():
        if release not in before.withdrawn:
            yield f"release {release} is withdrawn: {reason}"
    for release in before.withdrawn:
        if release not in after.withdrawn:
            yield f"release {release} is NO LONGER WITHDRAWN"
    if after.minimum_release != before.minimum_release:
        yield f"no register goes below release {after.minimum_release} any more"
    for alias in ("champion", "candidate"):
        now = getattr(after, alias)
        if now != getattr(before, alias):
            yield f"{alias} is {f'release {now}' if now is not None else 'no release any more'}"


def describe(target: ReleaseTarget) -> str:
    """A release in one line."""
    manifest = json.loads(target.manifest)
    report = target.report
    return (
        f"{manifest['name']} {manifest['version']}, SHA-256 {manifest['model']['sha256'][:16]}…, hit@3 "
        f"{report.hit_at_3:.1%} (best-sellers {report.best_sellers:.1%}), by {target.signer}"
    )
