"""Each gate: pass, fail, not enough, and its words."""

from dataclasses import replace
from random import Random

import pytest

from cloud.rollout import gates
from cloud.rollout.gates import Tally, count, judge, stability_index
from cloud.rollout.values import Evidence, Failure, GateKind, GateVerdict, Member, MemberState, Outcome, Plan
from tests.builders.rollouts import DIGEST, NEW, OLD_DIGEST, PLAN, good, running, told

PASS, FAIL, NOT_ENOUGH = Outcome.PASS, Outcome.FAIL, Outcome.NOT_ENOUGH


def _verdict(
    kind: GateKind, members: list[Member], said: list[Evidence], plan: Plan = PLAN
) -> GateVerdict | None:
    rollout = running(plan=plan)
    tally = count(rollout, members, {one.register: one for one in said})
    found = [one for one in judge(rollout, tally) if one.kind is kind]
    return found[0] if found else None


def _outcome(kind: GateKind, members: list[Member], said: list[Evidence], plan: Plan = PLAN) -> Outcome:
    verdict = _verdict(kind, members, said, plan)
    assert verdict is not None
    assert verdict.words
    return verdict.outcome


@pytest.mark.parametrize("kind", [one for one in GateKind if one not in {GateKind.SHADOW, GateKind.SALES}])
def test_a_good_register_passes_and_nothing_known_never_does(kind: GateKind) -> None:
    """T28: invariant 8, gate by gate."""
    member = told(state=MemberState.GOOD)
    assert _outcome(kind, [member], [good()]) is PASS
    assert _outcome(kind, [member], []) is NOT_ENOUGH
    assert _outcome(kind, [], []) is NOT_ENOUGH
    assert _outcome(kind, [member], [good(running_digest=OLD_DIGEST)]) is NOT_ENOUGH
    assert _outcome(kind, [member], [good(generation=4)]) is NOT_ENOUGH
    assert _outcome(kind, [told(state=MemberState.WAITING, told_at_ms=None)], [good()]) is NOT_ENOUGH


def test_failed_registers_against_those_that_were_told() -> None:
    members = [told(f"till-{number}", state=MemberState.GOOD) for number in range(10)]
    said = [good(member.register) for member in members]
    assert _outcome(GateKind.BUDGET, members, said) is PASS
    members[0] = replace(members[0], state=MemberState.FAILED, reason="refused: too slow")
    assert _outcome(GateKind.BUDGET, members, said) is PASS  # one in ten is what may
    members[1] = replace(members[1], state=MemberState.FAILED, reason="silent: no report")
    verdict = _verdict(GateKind.BUDGET, members, said)
    assert verdict is not None
    assert (verdict.outcome, verdict.words) == (FAIL, "2 of 10 registers failed, at most 10% may")
    assert _outcome(GateKind.INSTALL, members, said) is PASS
    forgiving = replace(PLAN, gates=replace(PLAN.gates, failed_minimum=3))
    assert _outcome(GateKind.BUDGET, members, said, forgiving) is PASS


def test_registers_that_were_never_there_do_not_hide_failures() -> None:
    """T28: one good and one failed of two is no pass because eighteen more were told and never came."""
    members = [told(f"till-{number}") for number in range(20)]
    members[0] = replace(members[0], state=MemberState.GOOD)
    members[1] = replace(members[1], state=MemberState.FAILED, reason="refused: too slow")
    verdict = _verdict(GateKind.BUDGET, members, [good("till-0")])
    assert verdict is not None
    assert (verdict.outcome, verdict.missing) == (NOT_ENOUGH, 8)
    assert verdict.words == "1 of 2 registers that were there failed, most were never there"
    there = [good(member.register) for member in members[2:10]]
    assert _outcome(GateKind.BUDGET, members, [good("till-0"), *there]) is PASS
    assert _outcome(GateKind.CRASHES, members, [good("till-0")]) is PASS


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure.REFUSED, GateKind.INSTALL),
        (Failure.RETURNED, GateKind.INSTALL),
        (Failure.UNFINISHED, GateKind.INSTALL),
        (Failure.CRASHED, GateKind.CRASHES),
        (Failure.SILENT, GateKind.SILENCE),
        (Failure.LYING, GateKind.SILENCE),
    ],
)
def test_each_way_to_fail_has_its_gate(failure: Failure, kind: GateKind) -> None:
    member = told(state=MemberState.FAILED, reason=f"{failure.value}: so it says")
    assert _outcome(kind, [member], []) is FAIL
    assert _outcome(GateKind.BUDGET, [member], []) is FAIL


def test_latency_is_the_slowest_but_a_share_against_the_budget() -> None:
    members = [told(f"till-{number}", state=MemberState.GOOD) for number in range(10)]
    said = [good(member.register) for member in members]
    said[0] = good("till-0", p99_ms=99.0)
    verdict = _verdict(GateKind.LATENCY, members, said)
    assert verdict is not None
    assert (verdict.outcome, verdict.words) == (PASS, "p99 3.1 of 10 ms")
    said[1] = good("till-1", p99_ms=12.0)
    verdict = _verdict(GateKind.LATENCY, members, said)
    assert verdict is not None
    assert (verdict.outcome, verdict.words) == (FAIL, "p99 12.0 of 10 ms")
    assert _outcome(GateKind.LATENCY, members, [good("till-0", p99_ms=None)]) is NOT_ENOUGH


def test_latency_waits_for_its_minimum_and_says_for_how_many() -> None:
    verdict = _verdict(
        GateKind.LATENCY, [told(state=MemberState.GOOD)], [good(recommendations=58, p99_ms=12.0)]
    )
    assert verdict is not None
    assert (verdict.outcome, verdict.missing) == (NOT_ENOUGH, 42)
    assert verdict.words == "p99 12.0 of 10 ms, waiting for 42 more answers"


def test_errors_fail_at_once_where_the_rest_could_not_save_them() -> None:
    """At 30 of 100 answers with 2 errors, even 70 good ones leave 2 %."""
    member = told(state=MemberState.GOOD)
    assert _outcome(GateKind.ERRORS, [member], [good(recommendations=30, errors=2)]) is FAIL
    assert _outcome(GateKind.ERRORS, [member], [good(recommendations=30, errors=1)]) is NOT_ENOUGH
    assert _outcome(GateKind.ERRORS, [member], [good(recommendations=1000, errors=10)]) is PASS
    assert _outcome(GateKind.ERRORS, [member], [good(recommendations=1000, errors=11)]) is FAIL
    assert _outcome(GateKind.ERRORS, [member], [good(recommendations=0, errors=600)]) is FAIL


def test_drift_needs_a_past_of_the_same_catalogue() -> None:
    """T28: what cannot be compared is not a pass."""
    member, said = told(state=MemberState.GOOD), good(confidence=(100, *[0] * 9), labels=(100, 0, 0, 0))
    assert _outcome(GateKind.CONFIDENCE, [member], [said]) is FAIL
    assert _outcome(GateKind.LABELS, [member], [said]) is FAIL
    assert _outcome(GateKind.LABELS, [member], [good(labels=(40, 30, 20, 10, 0))]) is NOT_ENOUGH
    rollout = running(baseline={})
    verdicts = judge(rollout, count(rollout, [member], {"till-1": good()}))
    drift = [one for one in verdicts if one.kind in {GateKind.CONFIDENCE, GateKind.LABELS}]
    assert [one.outcome for one in drift] == [NOT_ENOUGH, NOT_ENOUGH]
    assert all(one.waits == one.words and not one.measured for one in drift)
    off = replace(PLAN, gates=replace(PLAN.gates, confidence_drift=None, label_drift=None))
    assert _verdict(GateKind.LABELS, [member], [said], off) is None


def test_drifts_of_two_kinds_are_told_apart() -> None:
    """Joined in a reason or a timeline, each says what drifted."""
    said = good(confidence=(100, *[0] * 9), labels=(100, 0, 0, 0))
    for kind, words in ((GateKind.CONFIDENCE, "confidence drift "), (GateKind.LABELS, "labels drift ")):
        verdict = _verdict(kind, [told(state=MemberState.GOOD)], [said])
        assert verdict is not None
        assert verdict.words.startswith(words)
        assert verdict.words.endswith(" of 0.25")


def test_what_is_measured_and_what_is_waited_for_are_two_things() -> None:
    """A page says the second once, however many gates wait for the same."""
    few = good(recommendations=58)
    verdict = _verdict(GateKind.LATENCY, [told(state=MemberState.GOOD)], [few])
    assert verdict is not None
    assert (verdict.measured, verdict.waits) == ("p99 3.1 of 10 ms", "waiting for 42 more answers")
    assert verdict.words == f"{verdict.measured}, {verdict.waits}"
    nobody = _verdict(GateKind.BUDGET, [told()], [])
    assert nobody is not None
    assert nobody.measured == "0 of 1 register failed"
    assert nobody.waits == "waiting for 1 more register that runs it"


def test_the_stability_index_of_the_textbook() -> None:
    """Siddiqi's form: Σ (q - p) ln(q / p); 0 for the same shares, and stable under more of the same."""
    assert stability_index((1000, 2000), (10_000, 20_000)) == pytest.approx(0, abs=1e-6)
    by_hand = (0.3 - 0.5) * -0.5108256 + (0.7 - 0.5) * 0.3364722
    assert stability_index((5_000_000, 5_000_000), (3_000_000, 7_000_000)) == pytest.approx(by_hand, abs=1e-5)
    assert 1 < stability_index((1000, 1000, 0), (0, 1000, 1000)) < 20


def test_no_drift_stays_below_the_default_limit() -> None:
    """Five hundred answers of an unchanged model over 16 flavours: the gate's false alarms are rare."""
    random, shares = Random(7), [float(number) for number in range(1, 17)]

    def sample(size: int) -> list[int]:
        drawn = random.choices(range(16), shares, k=size)
        return [drawn.count(flavour) for flavour in range(16)]

    alarms = sum(stability_index(sample(5000), sample(500)) > 0.25 for _ in range(200))
    assert alarms == 0


def test_a_shadow_must_agree_be_quick_and_not_fail() -> None:
    plan = replace(PLAN, shadow_first=True, gates=replace(PLAN.gates, shadow_agreement=0.8))
    member = told(state=MemberState.SHADOW, told_at_ms=None)
    shadow = good(
        running_digest=OLD_DIGEST,
        shadow_release=NEW,
        shadow_compared=200,
        shadow_same_first=170,
        shadow_p99_ms=4.0,
    )
    verdict = _verdict(GateKind.SHADOW, [member], [shadow], plan)
    assert verdict is not None
    assert verdict.words == "shadow agrees in 85%, at least 80%; p99 4.0 of 10 ms"
    for change, outcome in (
        ({}, PASS),
        ({"shadow_same_first": 150}, FAIL),
        ({"shadow_p99_ms": 11.0}, FAIL),
        ({"shadow_errors": 50}, FAIL),
        ({"shadow_compared": 99, "shadow_same_first": 99}, NOT_ENOUGH),
        ({"shadow_release": 5}, NOT_ENOUGH),
        ({"shadow_p99_ms": None}, NOT_ENOUGH),
    ):
        assert _outcome(GateKind.SHADOW, [member], [replace(shadow, **change)], plan) is outcome
    assert _verdict(GateKind.SHADOW, [told(state=MemberState.GOOD)], [good()], plan) is None


def test_a_long_good_past_of_few_does_not_outvote_the_present_stage() -> None:
    """What the release does is judged in the present stage alone; failures in all."""
    rollout = running(stage=1)
    early = told("till-1", state=MemberState.GOOD)
    late = told("till-2", state=MemberState.GOOD, stage=1)
    said = {"till-1": good("till-1", recommendations=1_000_000), "till-2": good("till-2", errors=50)}
    tally = count(rollout, [early, late], said)
    assert gates.errors(rollout, tally).outcome is FAIL
    alone = count(rollout, [early], said)
    assert gates.errors(rollout, alone).outcome is PASS  # a stage that adds nobody


def test_a_tally_of_nothing_is_empty() -> None:
    assert count(running(), [], {}) == Tally()
    assert DIGEST != OLD_DIGEST
