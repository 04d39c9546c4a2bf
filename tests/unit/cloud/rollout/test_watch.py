"""What a report makes of a register: only what it knows and attests counts."""

from dataclasses import replace
from typing import Any

import pytest

from cloud.rollout.values import Evidence, Mark, Member, MemberState
from cloud.rollout.watch import assess, left_out
from tests.builders.rollouts import DIGEST, MINUTE_MS, NEW, NOW_MS, OLD, OLD_DIGEST, good, running, told
from wire_protocol.fleet_messages import UpdateReason, UpdateState

GOOD, FAILED, TOLD = MemberState.GOOD, MemberState.FAILED, MemberState.TOLD


def _assess(member: Member, said: Evidence, **changes: Any) -> Mark | None:
    return assess(running(**changes), member, said, NOW_MS)


def _state(member: Member, said: Evidence) -> MemberState | None:
    mark = _assess(member, said)
    return None if mark is None else mark.state


def test_good_is_said_and_attested() -> None:
    """T28: neither the word nor the digest alone."""
    assert _state(told(), good()) is GOOD
    assert _state(told(), good(running_digest=OLD_DIGEST)) is None
    assert _state(told(), good(running_digest=None)) is None
    assert _state(told(), good(update_state=UpdateState.TRIAL)) is None
    assert _state(told(), good(update_state=None)) is None
    assert _state(told(), good(update_release=OLD)) is None


@pytest.mark.parametrize("state", [TOLD, GOOD, FAILED, MemberState.RETURNING, MemberState.RETURNED])
def test_a_report_that_does_not_know_the_order_changes_nothing(state: MemberState) -> None:
    """T28: late and duplicate ones, whatever they say."""
    member = told(state=state, minutes=1, reason="silent: no report")
    for update in (UpdateState.GOOD, UpdateState.BAD, UpdateState.REFUSED):
        for digest in (DIGEST, OLD_DIGEST, None):
            said = good(generation=4, update_state=update, running_digest=digest)
            assert _assess(member, said) is None


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (UpdateState.REFUSED, UpdateReason.TOO_SLOW, "refused: too slow on this till"),
        (UpdateState.REFUSED, UpdateReason.UNTRUSTED, "refused: untrusted"),
        (UpdateState.REFUSED, None, "refused: without a reason"),
        (UpdateState.BAD, UpdateReason.CRASHED, "crashed: the agent crashed with it"),
        (UpdateState.BAD, UpdateReason.ERRORS, "returned: its recommendations failed"),
    ],
)
def test_what_the_register_found_bad_is_failed(
    state: UpdateState, reason: UpdateReason | None, words: str
) -> None:
    said = good(update_state=state, update_reason=reason, running_digest=OLD_DIGEST)
    for member in (told(), told(state=GOOD), told(state=MemberState.SHADOW, told_at_ms=None)):
        mark = _assess(member, said)
        assert mark is not None
        assert (mark.state, mark.reason) == (FAILED, words)


def test_crashes_of_the_release_count_and_those_of_before_do_not() -> None:
    assert _state(told(), good(crashes=2)) is FAILED
    assert _state(told(state=GOOD), good(crashes=2)) is FAILED
    assert _state(told(), good(crashes=1)) is GOOD
    before = good(crashes=9, running_digest=OLD_DIGEST, update_state=UpdateState.FETCHING)
    assert _state(told(), before) is None


def test_silence_counts_only_while_connected() -> None:
    """T28: online and silent is failed after its timer; away is not."""
    silent = good(generation=4, heard_at_ms=NOW_MS - 60 * MINUTE_MS)
    assert _state(told(minutes=14), silent) is None
    assert _state(told(minutes=15), silent) is FAILED
    assert _state(told(minutes=60), replace(silent, since_ms=NOW_MS - 14 * MINUTE_MS)) is None
    assert _state(told(minutes=60), replace(silent, online=False)) is None
    assert _state(told(minutes=60), Evidence("till-1")) is None


def test_a_lie_is_failed_after_its_timer() -> None:
    """T28: says good, attests another network."""
    lie = good(running_digest=OLD_DIGEST)
    assert _state(told(minutes=14), lie) is None
    mark = _assess(told(minutes=15), lie)
    assert mark is not None
    assert mark.reason == "lying: says good, and attests another model"
    assert _state(told(state=GOOD), lie) is FAILED


def test_no_end_is_a_failure_after_a_longer_timer() -> None:
    fetching = good(update_state=UpdateState.FETCHING, running_digest=OLD_DIGEST)
    assert _state(told(minutes=239), fetching) is None
    assert _state(told(minutes=240), fetching) is FAILED


def test_who_was_there_and_went_fails_and_who_never_was_is_left_out() -> None:
    """T28: never reached is no failure, and no success."""
    day = 24 * 60
    never = Evidence("till-1", online=False, since_ms=NOW_MS - 2 * day * MINUTE_MS)
    went = replace(never, since_ms=NOW_MS - (day - 10) * MINUTE_MS)
    member = told(minutes=day)
    assert _state(member, never) is None
    assert left_out(running(), member, never, NOW_MS)
    assert left_out(running(), member, None, NOW_MS)
    assert not left_out(running(), told(minutes=day - 1), never, NOW_MS)
    assert _state(member, went) is FAILED
    assert not left_out(running(), member, went, NOW_MS)
    flapping = replace(never, online=True, since_ms=NOW_MS - MINUTE_MS)
    assert _state(member, flapping) is FAILED


def test_a_good_register_may_fail_later() -> None:
    member = told(state=GOOD)
    mark = _assess(member, good(running_digest=OLD_DIGEST, update_state=UpdateState.FETCHING))
    assert mark is not None
    assert mark.reason == "returned: left the release by itself"
    assert _state(member, good(heard_at_ms=NOW_MS - 59 * MINUTE_MS)) is None
    assert _state(member, good(heard_at_ms=NOW_MS - 60 * MINUTE_MS)) is FAILED
    assert _state(member, good(heard_at_ms=NOW_MS - 90 * MINUTE_MS, online=False)) is None
    assert _state(member, good(running_digest=None)) is None


def test_only_silence_is_forgiven() -> None:
    assert _state(told(state=FAILED, reason="silent: no report"), good()) is GOOD
    assert _state(told(state=FAILED, reason="unfinished: no outcome"), good()) is GOOD
    for reason in ("refused: too slow", "crashed: 3 starts", "lying: says good", "returned: left", None):
        assert _state(told(state=FAILED, reason=reason), good()) is None


def test_back_is_what_is_attested() -> None:
    member = told(state=MemberState.RETURNING, reason="refused: too slow")
    back = _assess(member, good(running_digest=OLD_DIGEST, update_release=OLD))
    assert back == Mark("till-1", MemberState.RETURNED, "refused: too slow")
    assert _state(member, good()) is None
    assert _state(told(state=MemberState.RETURNED), good()) is MemberState.RETURNING
    assert _state(told(state=MemberState.RETURNED), good(running_digest=OLD_DIGEST)) is None


def test_the_revoked_are_skipped_in_every_state() -> None:
    for state in MemberState:
        expected = None if state is MemberState.SKIPPED else MemberState.SKIPPED
        assert _state(told(state=state), good(active=False)) is expected
    assert _state(told(state=MemberState.WAITING), good()) is None


def test_a_shadow_that_speaks_is_waited_for_and_a_silent_one_is_not() -> None:
    member = told(state=MemberState.SHADOW, told_at_ms=None, minutes=1000)
    running_it = good(running_digest=OLD_DIGEST, shadow_release=NEW, update_release=OLD)
    assert _state(member, running_it) is None
    assert _state(member, replace(running_it, shadow_release=None)) is FAILED


def test_back_with_the_same_bytes_is_back_by_its_order() -> None:
    """A release with the bytes of the one before: the order that a register knows tells them apart."""
    member = told(state=MemberState.RETURNING)
    back = good(update_release=OLD, desired_release=OLD, desired_digest=DIGEST)
    assert _state(member, back) is MemberState.RETURNED
    assert _state(told(state=MemberState.RETURNED), back) is None
    assert _state(member, replace(back, generation=4)) is None
    assert _state(member, replace(back, update_release=NEW)) is None
    assert _state(member, replace(back, desired_digest=OLD_DIGEST)) is None


def test_back_to_an_installed_model_with_the_same_bytes_takes_a_while() -> None:
    """Its bytes are not known: the report that crosses the change of models does not count."""
    back = good(update_release=None, update_state=None, desired_release=None)
    assert _state(told(state=MemberState.RETURNING, minutes=14), back) is None
    assert _state(told(state=MemberState.RETURNING, minutes=16), back) is MemberState.RETURNED
    on_trial = replace(back, update_release=NEW, update_state=UpdateState.TRIAL)
    assert _state(told(state=MemberState.RETURNING, minutes=16), on_trial) is None
