"""What the pages say of a rollout."""

from collections.abc import Mapping

import pytest

from cloud.console.views import rollout_words as words
from cloud.principal import Role
from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.values import (
    GateKind,
    GateVerdict,
    MemberState,
    Outcome,
    Plan,
    Policy,
    Stage,
    State,
    Window,
)

PASSED = GateVerdict(GateKind.LATENCY, Outcome.PASS, "p99 3.1 of 10 ms", 3.1, 10)
WAITS = GateVerdict(
    GateKind.ERRORS,
    Outcome.NOT_ENOUGH,
    "no answer failed, waiting for 412 more answers",
    0.0,
    0.01,
    412,
    "waiting for 412 more answers",
)
WAITING = "14 of 38 registers run it, 2 on the way, 1 failed. Waiting for 412 more answers."
HELD = "1 failed. The chain is frozen by x."
FAILED = GateVerdict(GateKind.CRASHES, Outcome.FAIL, "3 of 4 registers crashed", 0.75, 0.1)
COUNTS = {MemberState.GOOD: 14, MemberState.TOLD: 2, MemberState.FAILED: 1, MemberState.WAITING: 21}


def headline(state: State, **more: object) -> words.Headline:
    """Of a rollout in its second stage."""
    fields: dict[str, object] = {
        "stage": 1,
        "plan": DEFAULT_PLAN,
        "counts": COUNTS,
        "verdicts": (),
        "waiting": (),
        "reason": None,
        "approved": False,
        "policy": Policy(),
    }
    return words.headline(state=state, **(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "more", "says", "kind"),
    [
        (State.DRAFT, {}, "Planned; nothing was told to any register yet.", "quiet"),
        (State.DRAFT, {"policy": Policy(approval=True)}, "waits for a second person", "warn"),
        (State.DRAFT, {"policy": Policy(approval=True), "approved": True}, "nothing was told", "quiet"),
        (State.RUNNING, {"verdicts": (PASSED, WAITS), "waiting": (WAITS.waits,)}, WAITING, "info"),
        (State.RUNNING, {}, "stage 2 of 3, one in ten: 14 of 38 registers run it", "info"),
        (
            State.RUNNING,
            {"policy": Policy(frozen="x"), "waiting": ("the chain is frozen by x",)},
            HELD,
            "warn",
        ),
        (State.PAUSED, {"reason": "shop festival"}, "Shop festival.", "warn"),
        (State.RETURNING, {"reason": "p99 30 of 10 ms"}, "Going back", "bad"),
        (State.RETURNED, {"reason": "It crashed!"}, "every register that had it is back. It crashed!", "bad"),
        (State.DONE, {}, "Done: 14 of 38 registers run it, 2 on the way, 1 failed.", "good"),
    ],
)
def test_each_state_has_its_sentence(state: State, more: dict[str, object], says: str, kind: str) -> None:
    """Where it is and what it waits for, in one line."""
    said = headline(state, **more)
    assert says in said.words
    assert said.kind == kind
    assert "None" not in said.words


def test_gates_on_one_line() -> None:
    """What was measured, as an operator would note it; what it waits for stands in the sentence above."""
    line = words.gate_line((PASSED, WAITS, FAILED))
    assert line == "p99 3.1 of 10 ms ✓ · no answer failed · 3 of 4 registers crashed ✗"


def test_a_failed_gate_is_named_before_anything_that_waits() -> None:
    """What is missing does not matter then."""
    assert words.waiting_words((WAITS, FAILED), (WAITS.waits,)) == "Failed: crashes."
    assert words.waiting_words((PASSED,), ()) == "All gates passed."
    assert words.waiting_words((PASSED,), ("a person has to promote it",)) == "A person has to promote it."
    assert words.waiting_words((), ()) == ""


def test_nothing_is_divided_by_nobody() -> None:
    """A chain whose registers were all left out."""
    counts: Mapping[MemberState, int] = {MemberState.SKIPPED: 3}
    assert words.share_done(counts) == 0
    assert words.progress(counts) == "0 of 0 registers run it"


def test_one_register_has_its_own_verb() -> None:
    """Fleets of one are looked at first."""
    assert words.progress({MemberState.RETURNED: 1}) == "0 of 1 register runs it, 1 went back"
    assert words.returning({MemberState.RETURNED: 1}) == "1 of 1 register is back"
    assert words.returning({MemberState.RETURNED: 1, MemberState.RETURNING: 1}) == "1 of 2 registers is back"


@pytest.mark.parametrize("state", State)
def test_who_will_never_be_told_does_not_wait(state: State) -> None:
    """After a stop nobody is told any more; one that is done still tells those who come later."""
    expected = "never told" if state in {State.RETURNING, State.RETURNED} else "waiting"
    assert words.member_badge(MemberState.WAITING, state)[0] == expected
    assert words.member_badge(MemberState.GOOD, state) == words.MEMBER_BADGES[MemberState.GOOD]


def test_a_plan_reads_as_sentences() -> None:
    """Stages, windows across midnight, limits."""
    plan = Plan(
        stages=(Stage("pilots", group="pilots"), Stage("x", count=1), Stage("y", share=0.125, approval=True)),
        window=(Window((0, 1), 1320, 360), Window(tuple(range(7)), 0, 60)),
        outside_opening=True,
        stores=tuple(f"s{index}" for index in range(12)),
        shadow_first=True,
    )
    assert [words.stage_words(stage).split(",")[0] for stage in plan.stages] == [
        "group pilots",
        "1 register",
        "12.5 % of the registers",
    ]
    said = " ".join(words.plan_words(plan))
    for part in (
        "Monday, Tuesday from 22:00 to 06:00",
        "daily from 00:00",
        "12 stores: s0",
        "and others",
        "shadow",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("silent: no report for 15 minutes", "silent: no report for 15 minutes"),
        ("lying: attests abc", "runs another model than it says: attests abc"),
        ("refused", "refused it"),
        ("something else: x", "something else: x"),
        (None, ""),
    ],
)
def test_a_members_reason_is_for_people(reason: str | None, says: str) -> None:
    """The way it failed in words, then what is known."""
    assert words.member_reason(reason) == says


def actions(state: State, role: Role = Role.OPERATOR, **more: object) -> list[str]:
    """The buttons somebody sees."""
    fields: dict[str, object] = {
        "may_approve": True,
        "approved": False,
        "policy": Policy(),
        "last_stage": False,
    }
    return [offer.action for offer in words.offers(state=state, role=role, **(fields | more))]  # type: ignore[arg-type]


def test_buttons_follow_state_and_role() -> None:
    """Nobody is shown a button that would be refused."""
    assert actions(State.RUNNING) == ["promote", "pause", "return"]
    assert actions(State.PAUSED) == ["resume", "return"]
    assert actions(State.DONE) == ["return"]
    assert actions(State.RETURNING) == actions(State.RETURNED) == []
    for state in State:
        assert actions(state, Role.VIEWER) == []


def test_who_planned_it_does_not_approve_it() -> None:
    """Two persons, where the chain wants two."""
    policy = Policy(approval=True)
    assert "approve" not in actions(State.DRAFT, policy=policy, may_approve=False)
    assert "approve" in actions(State.DRAFT, policy=policy)
    assert "start" not in actions(State.DRAFT, policy=policy)
    assert "start" in actions(State.DRAFT, policy=policy, approved=True, may_approve=False)
