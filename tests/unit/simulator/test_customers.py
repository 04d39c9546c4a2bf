import numpy as np
import pytest

from simulator.customers import CLOSING_HOUR, OPENING_HOUR, SHOP_KINDS, draw_context, draw_customer


def test_the_same_seed_draws_the_same_customer_and_another_seed_another() -> None:
    first, again = (draw_customer(np.random.default_rng(4)) for _ in range(2))
    assert first == again
    assert first != draw_customer(np.random.default_rng(5))


@pytest.mark.parametrize("kind", SHOP_KINDS)
def test_a_context_lies_in_opening_hours_and_sane_weather(kind: str) -> None:
    rng = np.random.default_rng(6)
    for _ in range(200):
        situation = draw_context(rng, kind)
        assert OPENING_HOUR <= situation.hour < CLOSING_HOUR
        assert 0 <= situation.weekday <= 6
        assert 5.0 <= situation.temperature_c <= 42.0
        assert situation.shop == kind


def test_an_unknown_kind_of_shop_is_refused() -> None:
    with pytest.raises(KeyError, match="volcano"):
        draw_context(np.random.default_rng(7), "volcano")
