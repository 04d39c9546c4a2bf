from collections import Counter
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from edge_agent.plackett_luce import probability, sample
from tests.builders.records import interaction_id

SCORES = {"a": 1.0, "b": 0.2, "c": -0.5, "d": 0.0}
scores = st.dictionaries(st.sampled_from("abcdef"), st.floats(-30, 30), min_size=1)


def test_draws_follow_the_exact_probabilities() -> None:
    """Chi-square over all 24 ordered slates; 20,000 fixed ids, so the verdict is the same in every run."""
    slates = list(permutations(SCORES, 3))
    drawn = Counter(
        sample(SCORES, 3, interaction_id=interaction_id(number), seed="s") for number in range(20_000)
    )
    expected = [20_000 * probability(slate, SCORES) for slate in slates]
    assert chisquare([drawn[slate] for slate in slates], expected).pvalue > 1e-4


@given(scores, st.integers(1, 3))
def test_all_slates_together_have_probability_one(some: dict[str, float], length: int) -> None:
    slates = permutations(some, min(length, len(some)))
    assert sum(probability(slate, some) for slate in slates) == pytest.approx(1, abs=1e-9)


@given(scores, st.uuids())
def test_the_order_of_the_catalogue_does_not_matter(some: dict[str, float], interaction: UUID) -> None:
    backwards = dict(reversed(some.items()))
    assert sample(some, 3, interaction_id=interaction, seed="s") == sample(
        backwards, 3, interaction_id=interaction, seed="s"
    )


@given(scores, st.uuids())
def test_a_slate_has_no_flavour_twice(some: dict[str, float], interaction: UUID) -> None:
    slate = sample(some, 3, interaction_id=interaction, seed="s")
    assert len(slate) == len(set(slate)) == min(3, len(some))


def test_far_scores_do_not_overflow() -> None:
    assert probability(("b", "a"), {"a": -1000.0, "b": 1000.0}) == pytest.approx(1)


def test_the_empty_slate_is_certain() -> None:
    assert probability((), {}) == 1


def test_a_slate_with_a_flavour_twice_has_no_probability() -> None:
    with pytest.raises(KeyError):
        probability(("a", "a"), SCORES)
