from itertools import permutations
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.arms import ArmShares
from edge_agent.impression import Arm, Reason, Source
from edge_agent.slate import Policies, Slate, fallback, in_stock_bestsellers
from tests.builders.records import interaction_id

SHARES = ArmShares(explore=0.05, bestsellers=0.10)
SCORES = {"a": 2.0, "b": 1.0, "c": 0.0, "d": -1.0}


def policies(scores: dict[str, float], bestsellers: tuple[str, ...]) -> Policies:
    return Policies(
        top=tuple(sorted(scores, key=lambda flavour: -scores[flavour])[:3]),
        bestsellers=bestsellers,
        scores=scores,
    )


def choose(arm: Arm, interaction: UUID | None = None) -> Slate:
    return policies(SCORES, ("d", "c", "b")).choose(
        arm, SHARES, interaction_id=interaction or interaction_id(1), seed="s"
    )


def test_each_arm_shows_its_own_slate_and_says_so() -> None:
    model, control = choose(Arm.MODEL), choose(Arm.BESTSELLERS)
    assert (model.flavours, model.source, model.reason) == (("a", "b", "c"), Source.MODEL, None)
    assert (control.flavours, control.source, control.reason) == (
        ("d", "c", "b"),
        Source.BESTSELLERS,
        Reason.CONTROL,
    )
    assert choose(Arm.EXPLORE).source is Source.MODEL


@given(
    st.dictionaries(st.sampled_from("abcde"), st.floats(-20, 20), min_size=1),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.randoms(use_true_random=False),
)
def test_propensities_of_all_slates_sum_to_one(
    scores: dict[str, float], explore: float, control: float, order: Random
) -> None:
    """Whatever the arms' shares, even where the arms agree or fewer than three are in stock."""
    bestsellers = list(scores)
    order.shuffle(bestsellers)
    some = policies(scores, tuple(bestsellers[:3]))
    slates = permutations(scores, min(3, len(scores)))
    total = sum(some.propensity(slate, ArmShares(explore, control)) for slate in slates)
    assert total == pytest.approx(1, abs=1e-9)


def test_arms_that_agree_add_up() -> None:
    """The model's slate is also the best-sellers': its propensity is that of both arms and the sampling."""
    some = policies(SCORES, ("a", "b", "c"))
    control = some.choose(Arm.BESTSELLERS, SHARES, interaction_id=interaction_id(1), seed="s")
    model = some.choose(Arm.MODEL, SHARES, interaction_id=interaction_id(1), seed="s")
    assert control.propensity == model.propensity > 0.95


@given(st.uuids())
def test_a_replay_of_an_explored_interaction_gives_the_same_slate(interaction: UUID) -> None:
    assert choose(Arm.EXPLORE, interaction) == choose(Arm.EXPLORE, interaction)


def test_probabilities_stand_beside_every_slate_that_came_from_scores() -> None:
    """The control too: no record may lack what another arm's has."""
    for arm in Arm:
        slate = choose(arm)
        assert all(chance is not None and 0 < chance < 1 for chance in slate.probability)
    assert sum(policies(SCORES, ()).chances("abcd")) == pytest.approx(1)


def test_a_fallback_is_certain_and_has_no_probabilities() -> None:
    slate = fallback(("a", "b"), Reason.NOBODY)
    assert slate == Slate(("a", "b"), Source.BESTSELLERS, Reason.NOBODY, 1.0, (None, None))


def test_fewer_than_three_in_stock_make_a_shorter_slate() -> None:
    some = policies({"a": 1.0, "b": 0.0}, ("b", "a"))
    for arm in Arm:
        slate = some.choose(arm, SHARES, interaction_id=interaction_id(3), seed="s")
        assert sorted(slate.flavours) == ["a", "b"]


def test_bestsellers_skip_what_is_sold_out() -> None:
    assert in_stock_bestsellers(("a", "b", "c", "d", "e"), ("e", "d", "b", "a")) == ("a", "b", "d")
    assert in_stock_bestsellers(("a",), ()) == ()
