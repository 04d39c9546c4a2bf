from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.attributes import NUISANCE_SHARES, VISIBLE_SHARES
from simulator.chains import CHAINS
from simulator.customers import SHOP_KINDS, Situation, draw_context, draw_customer
from simulator.taste import Strengths, build_taste

seeds = st.integers(0, 2**32 - 1)
tenants = st.sampled_from(sorted(CHAINS))


@given(tenants, seeds)
def test_probabilities_are_positive_and_sum_to_one(tenant: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = CHAINS[tenant]
    truth = chain.taste.probabilities(draw_customer(rng).visible, draw_context(rng, "park"))
    assert truth.shape == (len(chain.flavours),)
    assert truth.sum() == pytest.approx(1.0)
    assert truth.min() > 0.0


@given(
    seeds,
    st.sampled_from([(name, level) for name, shares in NUISANCE_SHARES.items() for level in shares]),
    st.integers(0, 2**16 - 1),
)
def test_no_nuisance_attribute_has_any_effect_on_taste(
    seed: int, nuisance: tuple[str, str], detail: int
) -> None:
    """Whatever the skin, gender presentation, age, mood, head cover or drawing: the same probabilities."""
    rng = np.random.default_rng(seed)
    customer, situation = draw_customer(rng), draw_context(rng, "beach")
    name, level = nuisance
    other = replace(customer, nuisance=replace(customer.nuisance, **{name: level}), detail=detail)
    for chain in CHAINS.values():
        same = chain.taste.probabilities(other.visible, situation)
        assert np.array_equal(chain.taste.probabilities(customer.visible, situation), same)


@pytest.mark.parametrize("name", VISIBLE_SHARES)
@pytest.mark.parametrize("tenant", CHAINS)
def test_every_visible_attribute_moves_the_taste(tenant: str, name: str) -> None:
    rng = np.random.default_rng(8)
    visible, situation = draw_customer(rng).visible, draw_context(rng, "mall")
    tastes = [
        CHAINS[tenant].taste.probabilities(replace(visible, **{name: level}), situation)
        for level in VISIBLE_SHARES[name]
    ]
    for position, taste in enumerate(tastes[1:]):
        assert np.abs(taste - tastes[position]).max() > 0.001


@pytest.mark.parametrize(
    "change", [{"hour": 21}, {"weekday": 6}, {"temperature_c": 33.0}, {"shop": "station"}], ids=str
)
def test_every_part_of_the_context_moves_the_taste(change: dict[str, object]) -> None:
    visible = draw_customer(np.random.default_rng(9)).visible
    here = Situation(hour=11, weekday=1, temperature_c=20.0, shop="beach")
    there = replace(here, **change)  # type: ignore[arg-type]
    for chain in CHAINS.values():
        before, after = (chain.taste.probabilities(visible, where) for where in (here, there))
        assert np.abs(after - before).max() > 0.001


def test_a_child_counts_more_on_the_weekend() -> None:
    """The documented interaction adds its effect where level and condition meet, and nowhere else."""
    taste = CHAINS["gelateria-sole"].taste
    rng = np.random.default_rng(10)
    child = replace(draw_customer(rng).visible, company="child", clothing="tshirt", accessory="none")
    alone = replace(child, company="alone")
    saturday, monday = (Situation(12, weekday, 20.0, "park") for weekday in (5, 0))
    gain = taste.attribute_logits(child, saturday) - taste.attribute_logits(child, monday)
    assert np.allclose(gain, taste.interactions[0])
    assert np.array_equal(taste.attribute_logits(alone, saturday), taste.attribute_logits(alone, monday))


def test_effects_of_an_attribute_average_to_nothing() -> None:
    taste = build_taste(1, 9, Strengths(1.0, 1.0, 1.0, 1.0))
    for name, shares in VISIBLE_SHARES.items():
        assert np.allclose(np.array(list(shares.values())) @ taste.attributes[name], 0.0)


def test_a_seed_gives_the_same_taste_again() -> None:
    first, again = (build_taste(3, 12, Strengths(1.0, 1.0, 1.0, 1.0)) for _ in range(2))
    situation = Situation(12, 2, 25.0, SHOP_KINDS[0])
    visible = draw_customer(np.random.default_rng(1)).visible
    assert np.array_equal(first.probabilities(visible, situation), again.probabilities(visible, situation))
