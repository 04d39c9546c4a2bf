"""Everything that changes the durable facts, one function a step; none of them does anything."""

from dataclasses import replace

from edge_agent.updates.choice import Choice, Source, why_not
from edge_agent.updates.errand import Done, Failed, Verified
from edge_agent.updates.facts import SETTLED, Attempt, Facts, Listing, Order
from edge_agent.updates.slots import Happened, Slot, Verdict
from wire_protocol.fleet_messages import UpdateReason, UpdateState
from wire_protocol.limits import GENERATION_FREE, GENERATION_STEP

STARTS_MAX = 2
"""So many starts without an orderly end before them, and a release on trial is BAD."""


def started(facts: Facts, now_ms: int) -> Facts:
    """The agent starts: where it did not end in order, that counts against what is active."""
    if not facts.open:
        return replace(facts, open=True)
    deaths = facts.shadow_deaths + (facts.shadow is not None)
    facts = replace(facts, crashes=facts.crashes + 1, shadow=None, shadow_deaths=deaths)
    slot = facts.slot(facts.active)
    if slot is None or slot.verdict is not Verdict.TRIAL or facts.crashes < STARTS_MAX:
        return facts
    return failed(
        facts,
        UpdateReason.CRASHED,
        f"the agent died {facts.crashes} times while release {slot.release} was on trial",
        now_ms,
    )


def ended(facts: Facts) -> Facts:
    """The agent ends in order."""
    return replace(facts, open=False, shadow=None)


def ordered(facts: Facts, order: Order, transaction: str, now_ms: int) -> Facts | None:
    """A desired state came; None where it is no news.

    Args:
        facts: Before.
        order: What the cloud said, verified.
        transaction: The id of the attempt that this may begin.
        now_ms: The register's time.
    """
    if order.generation < facts.generation or is_too_far(facts, order):
        return None
    if order.generation == facts.generation and facts.order is not None:
        return None
    deaths = facts.shadow_deaths if _same_shadow(facts.order, order) else 0
    slots = _turned(facts, order)
    facts = replace(facts, order=order, generation=order.generation, shadow_deaths=deaths, slots=slots)
    if order.release is None or order.digest is None:
        return replace(facts, attempt=None)
    before = facts.attempt
    if before is not None and before.is_for(order) and before.reason is not UpdateReason.RETURNED:
        return facts
    state = UpdateState.WAITING
    attempt = Attempt(transaction, order.release, order.digest, order.rollout, state, now_ms)
    return replace(facts, attempt=attempt)


def is_too_far(facts: Facts, order: Order) -> bool:
    """Whether an order would use up the generations that are left: nobody could give another afterwards."""
    return order.generation > max(GENERATION_FREE, facts.generation + GENERATION_STEP)


def looked(facts: Facts, verified: Verified, generation: int) -> Facts:
    """The chain's metadata was verified: its listing is the newest, and the floor never sinks."""
    listing = Listing(dict(verified.listing), frozenset(verified.withdrawn), verified.metadata)
    floor = max(facts.floor, verified.metadata.floor)
    return replace(facts, listing=listing, floor=floor, looked=max(facts.looked, generation))


def staged(facts: Facts, done: Done, now_ms: int) -> Facts:
    """A release lies verified, tried and durable in its folder."""
    assert done.release is not None, "an errand without a release stages nothing"
    assert done.digest is not None, "a release has a digest"
    assert done.directory is not None, "a release has a folder"
    slot = facts.slot(done.release)
    if slot is None or slot.digest != done.digest:
        slot = Slot(done.release, done.digest, done.directory, Verdict.ABSENT, now_ms)
    slot = replace(slot, manifest=done.manifest)
    return facts.with_slot(slot.after(Happened.STAGED, now_ms))


def refused(facts: Facts, failure: Failed, now_ms: int) -> Facts:
    """The errand for the present attempt came to nothing."""
    if facts.attempt is None:
        return facts
    state = UpdateState.WAITING if failure.passing else UpdateState.REFUSED
    return replace(facts, attempt=facts.attempt.moved(state, now_ms, failure.reason, failure.words))


def activated(facts: Facts, choice: Choice, now_ms: int) -> Facts:
    """Use this from now on; a release that is not proven is on trial."""
    facts = replace(facts, active=choice.release, crashes=0)
    attempt, slot = facts.attempt, choice.slot
    if attempt is None or slot is None or attempt.release != slot.release or attempt.state in SETTLED:
        return facts
    state = UpdateState.GOOD if slot.verdict is Verdict.GOOD else UpdateState.TRIAL
    return replace(facts, attempt=attempt.moved(state, now_ms))


def passed(facts: Facts, now_ms: int) -> Facts:
    """The trial of what is active is over, and well."""
    slot = facts.slot(facts.active)
    assert slot is not None, "only a release is on trial"
    facts = facts.with_slot(slot.after(Happened.PASSED, now_ms))
    return _attempt_at(facts, slot.release, (UpdateState.GOOD, now_ms))


def failed(facts: Facts, reason: UpdateReason, words: str, now_ms: int) -> Facts:
    """The trial of what is active is over, and not well; what to run now, `choice.candidates` says."""
    slot = facts.slot(facts.active)
    assert slot is not None, "only a release is on trial"
    facts = facts.with_slot(slot.after(Happened.FAILED, now_ms, reason, words))
    return _attempt_at(facts, slot.release, (UpdateState.BAD, now_ms, reason, words))


def spoiled(facts: Facts, slot: Slot, words: str, now_ms: int) -> Facts:
    """The files of a release are no longer what was signed: it is fetched anew where it is wanted."""
    facts = facts.with_slot(slot.after(Happened.GONE, now_ms))
    at = (UpdateState.WAITING, now_ms, UpdateReason.DIGEST_MISMATCH, words)
    return _attempt_at(facts, slot.release, at)


def shadowed(facts: Facts, release: int | None) -> Facts:
    """This release runs beside what is active from now on, or none."""
    return replace(facts, shadow=release)


def settled_on(facts: Facts, choice: Choice, now_ms: int) -> Facts:
    """What runs is another than what was active: note it, with the reason where the attempt was about it."""
    gone = facts.slot(facts.active)
    facts = replace(facts, active=choice.release, crashes=0)
    if gone is None or choice.release == gone.release or facts.attempt is None:
        return facts
    attempt = facts.attempt
    why = why_not(facts, gone.release, gone.digest)
    if attempt.release != gone.release or why is None:
        return facts
    words = f"release {gone.release} may not run any more: {why}"
    return replace(facts, attempt=attempt.moved(UpdateState.BAD, now_ms, why, words))


def returned(facts: Facts, choice: Choice, now_ms: int) -> Facts:
    """A person at the till goes back to what ran before; holds until the cloud's next order."""
    left, slot = facts.active, facts.slot(facts.active)
    generation = 0 if facts.order is None else facts.order.generation
    if slot is not None:
        facts = facts.with_slot(replace(slot, left_generation=generation))
    facts = replace(facts, active=choice.release, returned=generation, crashes=0)
    attempt = facts.attempt
    if attempt is None or (left is not None and attempt.release != left):
        return facts
    what = {
        Source.RELEASE: f"release {choice.release}",
        Source.INSTALLED: "the installed model",
        Source.BESTSELLERS: "best-sellers",
    }[choice.source]
    words = f"a person at the till went back to {what}"
    return replace(facts, attempt=attempt.moved(UpdateState.BAD, now_ms, UpdateReason.RETURNED, words))


def cleared(facts: Facts) -> Facts:
    """Without what nobody needs any more: its folders may go.

    Kept are what is active, the GOOD release before it (one that was left, only where there is no other),
    what is ordered, and the shadow; of what is BAD, only the verdict.
    """
    order = facts.order
    wanted = {facts.active} | (set() if order is None else {order.release, order.settings.shadow})
    good = [one for one in facts.slots if one.verdict is Verdict.GOOD and one.release not in wanted]
    newest = max(good, key=lambda one: (one.left_generation is None, one.at_ms, one.release), default=None)
    slots = tuple(
        one for one in facts.slots if one.release in wanted or one is newest or one.verdict is Verdict.BAD
    )
    return replace(facts, slots=slots)


def _turned(facts: Facts, order: Order) -> tuple[Slot, ...]:
    """The slots, with a note at what this order turns away from, and none at what it wants."""
    undone = _undone(facts, order)
    slots = []
    for one in facts.slots:
        if one.release == order.release:
            slots.append(replace(one, left_generation=None))
        elif order.goes_behind(one.release) or one.release == undone:
            slots.append(replace(one, left_generation=order.generation))
        else:
            slots.append(one)
    return tuple(slots)


def _undone(facts: Facts, order: Order) -> int | None:
    """The release that a rollout takes back by this order, whatever its number."""
    before, slot = facts.order, facts.slot(order.release)
    if before is None or before.rollout is None or before.rollout != order.rollout:
        return None
    if slot is None or slot.verdict is not Verdict.GOOD or before.settings.shadow == order.release:
        return None  # it goes on: to a release that is new here, or that was tried as a shadow first
    return before.release


def _same_shadow(before: Order | None, order: Order) -> bool:
    return before is not None and (before.settings.shadow, before.rollout) == (
        order.settings.shadow,
        order.rollout,
    )


_At = tuple[UpdateState, int] | tuple[UpdateState, int, UpdateReason, str]


def _attempt_at(facts: Facts, release: int, at: _At) -> Facts:
    """With the attempt in this state, where it is about this release."""
    if facts.attempt is None or facts.attempt.release != release:
        return facts
    return replace(facts, attempt=facts.attempt.moved(*at))
