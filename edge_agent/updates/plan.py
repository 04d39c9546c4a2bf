"""What is to be done next about the present order; pure, and asked after every change."""

from dataclasses import dataclass

from edge_agent.updates.choice import INSTALLED, Choice, Source, why_not
from edge_agent.updates.facts import SETTLED, Facts
from edge_agent.updates.slots import Verdict
from wire_protocol.fleet_messages import UpdateReason, UpdateState


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it is wanted, or nothing can be done about it."""


@dataclass(frozen=True, slots=True)
class Use:
    """Make this what is active."""

    choice: Choice


@dataclass(frozen=True, slots=True)
class Settle:
    """The attempt is over, or can be told better: nothing to do but to note it."""

    state: UpdateState
    reason: UpdateReason | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Send the updater for a release; `release` None: only look at the metadata."""

    release: int | None = None
    digest: str | None = None
    shadow: bool = False
    """Nobody waits for it: trouble with it is no trouble of the order's."""


Plan = Nothing | Use | Settle | Fetch
NOTHING = Nothing()


def plan(facts: Facts) -> Plan:
    """The next thing."""
    order = facts.order
    if order is None:
        return NOTHING
    return _of_order(facts) if not facts.is_held else _of_look(facts)


def _of_order(facts: Facts) -> Plan:
    order, attempt = facts.order, facts.attempt
    assert order is not None, "there is an order"
    if order.release is None or attempt is None:
        return Use(INSTALLED) if facts.active is not None else _of_look(facts)
    # For the newest order the metadata is looked at first, where that order has not been looked at:
    # what it wants may just have been withdrawn. What lies here already is used at once all the same.
    slot = facts.slot(order.release)
    known = slot is not None and slot.there and slot.digest == order.digest
    if attempt.state in SETTLED:
        return _of_look(facts)
    why = why_not(facts, attempt.release, attempt.digest)
    if facts.looked >= order.generation and why in {UpdateReason.WITHDRAWN, UpdateReason.BELOW_FLOOR}:
        return Settle(UpdateState.REFUSED, why, f"release {attempt.release} may not run: {why}")
    if not known or why is not None or slot is None:
        return Fetch(attempt.release, attempt.digest)
    if facts.active != slot.release:
        return Use(Choice(Source.RELEASE, slot))
    state = UpdateState.TRIAL if slot.verdict is Verdict.TRIAL else UpdateState.GOOD
    return Settle(state) if attempt.state is not state else _of_look(facts)


def _of_look(facts: Facts) -> Plan:
    """Once for every order, so that a withdrawal is heard of; then the shadow."""
    order, listing = facts.order, facts.listing
    assert order is not None, "there is an order"
    if facts.looked < order.generation:
        return Fetch()
    shadow = order.settings.shadow
    if shadow is None or listing is None or (digest := listing.releases.get(shadow)) is None:
        return NOTHING
    slot = facts.slot(shadow)
    there = slot is not None and (slot.there or slot.verdict is Verdict.BAD) and slot.digest == digest
    return NOTHING if there or shadow < facts.floor else Fetch(shadow, digest, shadow=True)
