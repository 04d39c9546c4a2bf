from collections import Counter
from dataclasses import fields

import numpy as np
import pytest

from simulator.attributes import (
    NUISANCE_SHARES,
    VISIBLE_SHARES,
    Nuisance,
    Visible,
    draw_nuisance,
    draw_visible,
    level_indices,
)


def test_every_field_has_a_table_of_shares_in_the_same_order() -> None:
    assert [field.name for field in fields(Visible)] == list(VISIBLE_SHARES)
    assert [field.name for field in fields(Nuisance)] == list(NUISANCE_SHARES)


def test_no_attribute_is_both_visible_and_nuisance() -> None:
    assert not set(VISIBLE_SHARES) & set(NUISANCE_SHARES)


@pytest.mark.parametrize("shares", [*VISIBLE_SHARES.values(), *NUISANCE_SHARES.values()])
def test_shares_sum_to_one_and_every_level_is_met(shares: dict[str, float]) -> None:
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.03


def test_draws_follow_the_shares() -> None:
    rng = np.random.default_rng(1)
    drawn = Counter(draw_visible(rng).company for _ in range(2000))
    for level, share in VISIBLE_SHARES["company"].items():
        assert drawn[level] / 2000 == pytest.approx(share, abs=0.04)


def test_visible_and_nuisance_attributes_are_independent() -> None:
    """A chi-square of every pair stays where chance leaves it: knowing one tells nothing of the other."""
    rng = np.random.default_rng(2)
    people = [(draw_visible(rng), draw_nuisance(rng)) for _ in range(3000)]
    for visible_name, visible_shares in VISIBLE_SHARES.items():
        for nuisance_name, nuisance_shares in NUISANCE_SHARES.items():
            counts = Counter((getattr(v, visible_name), getattr(n, nuisance_name)) for v, n in people)
            statistic = 0.0
            for level, share in visible_shares.items():
                for other, other_share in nuisance_shares.items():
                    expected = 3000 * share * other_share
                    statistic += (counts[level, other] - expected) ** 2 / expected
            cells = len(visible_shares) * len(nuisance_shares) - 1
            assert statistic < cells + 5 * np.sqrt(2 * cells)


def test_level_indices_name_the_level_of_each_attribute() -> None:
    visible = draw_visible(np.random.default_rng(3))
    for (name, shares), index in zip(VISIBLE_SHARES.items(), level_indices(visible), strict=True):
        assert list(shares)[index] == getattr(visible, name)
