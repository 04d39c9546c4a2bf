"""What a register's report makes of a member of a rollout. Pure.

A report counts only where it knows the order (its generation), so that a late one, from before, changes
nothing; and *good* is what the register says and attests: the digest of the network in its memory.
"""

from collections.abc import Mapping
from typing import Final

from cloud.rollout.values import Evidence, Failure, Mark, Member, MemberState, Rollout
from wire_protocol.fleet_messages import UpdateReason, UpdateState

_MS: Final = 1000
QUIET_TIMES: Final = 4
"""A good register that is connected and has not reported for so many times `silent_after_s` is silent."""
_RECOVERABLE: Final = (f"{Failure.SILENT}:", f"{Failure.UNFINISHED}:")

_REASONS: Final[Mapping[UpdateReason, str]] = {
    UpdateReason.TOO_SLOW: "too slow on this till",
    UpdateReason.GOLDEN_MISMATCH: "answers its golden frames otherwise than signed",
    UpdateReason.BROKEN_ANSWER: "gives impossible answers",
    UpdateReason.NOT_A_MODEL: "is no network that may run",
    UpdateReason.WRONG_CONTRACT: "has another contract",
    UpdateReason.ERRORS: "its recommendations failed",
    UpdateReason.CRASHED: "the agent crashed with it",
}


def assess(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    """The member's new state, or None where nothing changes.

    Args:
        rollout: Running, paused, returning or done.
        member: One of its registers.
        said: What is known of it.
        now_ms: By the cloud's clock.
    """
    if member.state is MemberState.SKIPPED:
        return None
    if not said.active:
        return Mark(member.register, MemberState.SKIPPED, "no longer in the fleet")
    rule = _RULES.get(member.state)
    return None if rule is None else rule(rollout, member, said, now_ms)


def left_out(rollout: Rollout, member: Member, said: Evidence | None, now_ms: int) -> bool:
    """Whether a told register never came online in its time: it does not block its stage any more."""
    return now_ms - member.changed_at_ms >= rollout.plan.unreached_after_s * _MS and (
        said is None or not reached(member, said)
    )


def knows(member: Member, said: Evidence) -> bool:
    """Whether the newest report knows the newest order of this rollout."""
    return (
        said.heard_at_ms is not None
        and member.generation is not None
        and said.generation >= member.generation
    )


def reached(member: Member, said: Evidence) -> bool:
    """Whether it was connected at any time since its state changed: since it was told."""
    since = member.changed_at_ms
    return bool(
        said.online
        or knows(member, said)
        or (said.heard_at_ms is not None and said.heard_at_ms >= since)
        or (said.since_ms is not None and said.since_ms >= since)  # it went offline after it was told
    )


def _connected_ms(member: Member, said: Evidence, now_ms: int) -> int:
    """For how long it has been connected without a break since it was told."""
    if not said.online:
        return 0
    return now_ms - max(member.changed_at_ms, said.since_ms or 0)


def _told(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    if knows(member, said):
        failed = _failed(rollout, member, said)
        if failed is not None:
            return failed
        if _is_good(rollout, said):
            return Mark(member.register, MemberState.GOOD)
    return _overdue(rollout, member, said, now_ms)


def _shadow(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    if knows(member, said):
        failed = _failed(rollout, member, said)
        if failed is not None or said.shadow_release == rollout.release:
            return failed
    return _overdue(rollout, member, said, now_ms)


def _good(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    if said.heard_at_ms is None or not knows(member, said):
        return None
    failed = _failed(rollout, member, said)
    if failed is not None:
        return failed
    if said.running_digest is not None and said.running_digest != rollout.digest:
        if _says_good(rollout, said):
            return _fail(member, Failure.LYING, "says good, and attests another model")
        return _fail(member, Failure.RETURNED, "left the release by itself")
    quiet_ms = now_ms - max(said.heard_at_ms, said.since_ms or 0)
    if said.online and quiet_ms >= QUIET_TIMES * rollout.plan.silent_after_s * _MS:
        return _fail(member, Failure.SILENT, f"connected, and no report for {_span(quiet_ms)}")
    return None


def _lost(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    """A register that failed for its silence may speak after all; nothing else is forgiven."""
    del now_ms
    recoverable = (member.reason or "").startswith(_RECOVERABLE)
    if recoverable and knows(member, said) and _is_good(rollout, said):
        return Mark(member.register, MemberState.GOOD)
    return None


def _returning(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    del now_ms
    if knows(member, said) and _is_back(rollout, member, said):
        return Mark(member.register, MemberState.RETURNED, member.reason)
    return None


def _returned(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    del now_ms
    if knows(member, said) and not _is_back(rollout, member, said):
        return Mark(member.register, MemberState.RETURNING, "attests the release again")
    return None


def _is_back(rollout: Rollout, member: Member, said: Evidence) -> bool:
    """Whether a register that knows its order to return runs something else than the release.

    What it goes back to may have the very bytes of the release. One that is ordered to a release is back when
    it attests what it was ordered to. The bytes of an installed model are not known here: a register takes it
    at once, so one that attests these bytes long after the order, and says nothing of the release, is back.
    """
    if said.running_digest != rollout.digest:
        return True
    if rollout.release in {said.update_release, said.desired_release}:
        return False
    if said.desired_release is not None:
        return said.running_digest == said.desired_digest
    return (said.heard_at_ms or 0) - member.changed_at_ms >= rollout.plan.silent_after_s * _MS


_RULES: Final = {
    MemberState.TOLD: _told,
    MemberState.SHADOW: _shadow,
    MemberState.GOOD: _good,
    MemberState.FAILED: _lost,
    MemberState.RETURNING: _returning,
    MemberState.RETURNED: _returned,
}


def _says_good(rollout: Rollout, said: Evidence) -> bool:
    return said.update_release == rollout.release and said.update_state is UpdateState.GOOD


def _is_good(rollout: Rollout, said: Evidence) -> bool:
    return _says_good(rollout, said) and said.running_digest == rollout.digest


def _failed(rollout: Rollout, member: Member, said: Evidence) -> Mark | None:
    """What the register says of itself, or what it counts."""
    if said.running_digest == rollout.digest and said.crashes >= rollout.plan.gates.crashes_per_register:
        return _fail(member, Failure.CRASHED, f"{said.crashes} starts without an orderly end")
    if said.update_release != rollout.release:
        return None
    words = _words(said.update_reason)
    if said.update_state is UpdateState.REFUSED:
        return _fail(member, Failure.REFUSED, words)
    if said.update_state is UpdateState.BAD:
        crashed = said.update_reason is UpdateReason.CRASHED
        return _fail(member, Failure.CRASHED if crashed else Failure.RETURNED, words)
    return None


def _overdue(rollout: Rollout, member: Member, said: Evidence, now_ms: int) -> Mark | None:
    """The timers of a register of which no outcome is known."""
    plan, connected_ms = rollout.plan, _connected_ms(member, said, now_ms)
    silent = connected_ms >= plan.silent_after_s * _MS
    if silent and not knows(member, said):
        return _fail(member, Failure.SILENT, f"connected for {_span(connected_ms)}, and no report of it")
    if silent and _says_good(rollout, said):
        return _fail(member, Failure.LYING, "says good, and attests another model")
    if connected_ms >= plan.unfinished_after_s * _MS:
        return _fail(member, Failure.UNFINISHED, f"no outcome in {_span(connected_ms)}")
    since_told_ms = now_ms - member.changed_at_ms
    if since_told_ms >= plan.unreached_after_s * _MS and reached(member, said):
        return _fail(member, Failure.UNFINISHED, f"it was there, and no outcome in {_span(since_told_ms)}")
    return None


def _fail(member: Member, failure: Failure, words: str) -> Mark:
    return Mark(member.register, MemberState.FAILED, f"{failure.value}: {words}"[:200])


def _words(reason: UpdateReason | None) -> str:
    return "without a reason" if reason is None else _REASONS.get(reason, reason.value)


def _span(duration_ms: int) -> str:
    minutes = duration_ms // 60_000
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours"
