"""Facts of releases as tests need them, without a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.updates import transitions
from edge_agent.updates.errand import Done, Verified, pack_listing
from edge_agent.updates.facts import Facts, Order
from wire_protocol.fleet_messages import MetadataSeen, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NOW_MS = 1_795_000_000_000
TRANSACTION = "ab" * 16
ROLLOUT = "cd" * 16


def digest_of(release: int) -> str:
    return f"{release:064x}"


def directory_of(release: int) -> str:
    return f"{release}-{digest_of(release)[:16]}"


def verified(
    releases: Iterable[int] = range(1, 10), *, withdrawn: Iterable[int] = (), floor: int = 0, version: int = 1
) -> Verified:
    """What an updater verified."""
    gone = tuple(withdrawn)
    listing = {release: digest_of(release) for release in releases if release not in gone}
    seen = MetadataSeen(1, version, version, version, NOW_MS + 86_400_000, floor)
    return Verified(seen, pack_listing(listing), gone)


def done(release: int | None = None, **listed: Any) -> Done:
    """An errand that came to a good end."""
    if release is None:
        return Done(verified(**listed))
    return Done(verified(**listed), release, digest_of(release), directory_of(release))


def order(generation: int, release: int | None = None, *, rollout: str = ROLLOUT, **settings: Any) -> Order:
    digest = None if release is None else digest_of(release)
    return Order(generation, release, digest, None if release is None else rollout, Settings(**settings))


def ordered(facts: Facts, generation: int, release: int | None = None, **more: Any) -> Facts:
    """After an order that was news."""
    after = transitions.ordered(facts, order(generation, release, **more), TRANSACTION, NOW_MS)
    assert after is not None
    return after


def staged(facts: Facts, release: int, **listed: Any) -> Facts:
    """After an errand for this release."""
    result = done(release, **listed)
    looked = transitions.looked(facts, result.verified, facts.generation)
    return transitions.staged(looked, result, NOW_MS)


def good(*releases: int) -> Facts:
    """Each release came, was tried, and is GOOD; the last is active."""
    from edge_agent.updates.choice import Choice, Source

    facts = Facts()
    for number, release in enumerate(releases, 1):
        facts = staged(ordered(facts, facts.generation + 1, release), release)
        choice = Choice(Source.RELEASE, facts.slot(release))
        facts = transitions.passed(transitions.activated(facts, choice, NOW_MS + number), NOW_MS + number)
    return facts


def on_trial(facts: Facts, release: int) -> Facts:
    """This release came, and is active."""
    from edge_agent.updates.choice import Choice, Source

    facts = staged(ordered(facts, facts.generation + 1, release), release)
    return transitions.activated(facts, Choice(Source.RELEASE, facts.slot(release)), NOW_MS + 50)
