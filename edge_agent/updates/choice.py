"""Which model to run: one pure function over the durable facts, asked at every start and every change."""

from dataclasses import dataclass
from enum import StrEnum

from edge_agent.updates.facts import Facts
from edge_agent.updates.slots import Slot, Verdict
from wire_protocol.fleet_messages import UpdateReason


class Source(StrEnum):
    """Where a model comes from."""

    RELEASE = "release"
    INSTALLED = "installed"
    BESTSELLERS = "best-sellers"


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to run; `slot` where it is a release."""

    source: Source
    slot: Slot | None = None

    @property
    def release(self) -> int | None:
        """The release's number."""
        return None if self.slot is None else self.slot.release


INSTALLED = Choice(Source.INSTALLED)
BESTSELLERS = Choice(Source.BESTSELLERS)


def why_not(facts: Facts, release: int, digest: str) -> UpdateReason | None:
    """Why this register may not run a release; None where it may. What is not listed may not."""
    listing = facts.listing
    if listing is not None and release in listing.withdrawn:
        return UpdateReason.WITHDRAWN
    if release < facts.floor:
        return UpdateReason.BELOW_FLOOR
    if listing is None or listing.releases.get(release) != digest:
        return UpdateReason.NOT_LISTED
    return None


def may_run(facts: Facts, slot: Slot) -> bool:
    """Whether a release that lies here may be used."""
    return slot.there and why_not(facts, slot.release, slot.digest) is None


def candidates(facts: Facts) -> tuple[Choice, ...]:
    """What to run, the first choice first; the next where its files turn out to be no good.

    The last is always best-sellers, which need no model. The installed model has no number to hold against
    a floor, so it is out once one was signed. A release that was left comes last of all models, where the one
    in use broke; never where a person went back.
    """
    installed = (INSTALLED,) if facts.floor == 0 else ()
    order = facts.order
    if order is not None and order.release is None and not facts.is_held:
        return (*installed, BESTSELLERS)
    before, active = _good(facts, left=False), facts.slot(facts.active)
    if facts.active is None:
        return (*installed, *before, BESTSELLERS)
    first = () if active is None or not may_run(facts, active) else (Choice(Source.RELEASE, active),)
    last = () if facts.is_held else _good(facts, left=True)
    return (*first, *before, *installed, *last, BESTSELLERS)


def previous(facts: Facts, *, installed: bool = True) -> Choice:
    """What a person's return from what is active leads to; never a release that was left.

    Args:
        facts: The durable ones.
        installed: Whether there is an installed model that can be used.
    """
    before = _good(facts, left=False)
    with_model = (INSTALLED,) if installed and facts.floor == 0 else ()
    found: tuple[Choice, ...] = (*before, *with_model, BESTSELLERS)
    return found[0]


def _good(facts: Facts, *, left: bool) -> tuple[Choice, ...]:
    """The GOOD releases beside the active one that may run, the newest verdict first."""
    found = sorted(
        (one for one in facts.slots if one.verdict is Verdict.GOOD and one.release != facts.active),
        key=lambda one: (one.at_ms, one.release),
        reverse=True,
    )
    return tuple(
        Choice(Source.RELEASE, one)
        for one in found
        if (one.left_generation is not None) is left and may_run(facts, one)
    )
