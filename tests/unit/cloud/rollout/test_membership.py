"""Which register belongs to which stage."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloud.rollout.membership import Till, joining, members_of, place
from cloud.rollout.values import Member, MemberState, Plan, Stage
from tests.builders.rollouts import running

_TILLS = [Till(f"till-{number}", f"shop-{number % 7}") for number in range(100)]


def _stages(members: list[Member]) -> dict[str, int]:
    return {member.register: member.stage for member in members}


def test_a_share_is_the_first_of_the_row_rounded_up() -> None:
    """30 registers, one in ten: 3, although 0.1 times 30 is a little more in binary fractions."""
    plan = Plan((Stage("some", share=0.1), Stage("all", share=1.0)))
    for registers, first in ((30, 3), (31, 4), (1, 1), (9, 1)):
        stages = _stages(members_of(plan, "nord", 7, _TILLS[:registers], {}))
        assert sum(stage == 0 for stage in stages.values()) == first
        assert len(stages) == registers


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_greater_share_only_adds(one: float, other: float) -> None:
    low, high = sorted((one, other))
    small, large = (
        set(_stages(members_of(Plan((Stage("s", share=share),)), "nord", 7, _TILLS, {})))
        for share in (low, high)
    )
    assert small <= large


def test_a_register_belongs_to_the_first_stage_that_has_it() -> None:
    plan = Plan((Stage("one", count=1), Stage("pilots", group="p"), Stage("all", share=1.0)))
    stages = _stages(members_of(plan, "nord", 7, _TILLS, {"p": {"till-5", "till-6", "till-999"}}))
    assert sum(stage == 0 for stage in stages.values()) == 1
    assert {name for name, stage in stages.items() if stage == 1} <= {"till-5", "till-6"}
    assert len(stages) == 100


def test_another_release_begins_with_other_tills() -> None:
    firsts = {
        min(_TILLS, key=lambda till: place("nord", release, till.register)).register for release in range(20)
    }
    assert len(firsts) > 10


def test_only_the_stores_of_the_plan() -> None:
    plan = Plan((Stage("all", share=1.0),), stores=("shop-3",))
    assert {member.store for member in members_of(plan, "nord", 7, _TILLS, {})} == {"shop-3"}


@given(st.integers(1, 99))
def test_late_joiners_stand_where_they_would_have_stood(first: int) -> None:
    """A stage keeps its part of the row: nobody leaves it, and who stands there joins it."""
    plan = Plan((Stage("some", share=0.3), Stage("all", share=1.0)))
    rollout = replace(running(), plan=plan)
    there = members_of(plan, rollout.tenant, rollout.release, _TILLS[:first], {})
    joined = joining(rollout, there, _TILLS[first:], {})
    assert len(joined) == 100 - first
    ends = max(place(rollout.tenant, rollout.release, one.register) for one in there if one.stage == 0)
    for member in joined:
        stands = place(rollout.tenant, rollout.release, member.register)
        assert (member.stage == 0) == (stands <= ends)
        assert member.state is MemberState.WAITING


def test_a_fixed_number_takes_nobody_later_and_a_group_does() -> None:
    plan = Plan((Stage("one", count=1), Stage("pilots", group="p")))
    rollout = replace(running(), plan=plan)
    there = members_of(plan, rollout.tenant, rollout.release, _TILLS[:10], {})
    late = [Till("till-50", "shop-1"), Till("till-51", "shop-1")]
    assert [one.register for one in joining(rollout, there, late, {"p": {"till-51"}})] == ["till-51"]
