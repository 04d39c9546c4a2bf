from dataclasses import replace

import numpy as np
import pytest

from simulator.attributes import VISIBLE_SHARES
from simulator.customers import draw_customer
from simulator.personas import draw_persona

# Company stands beside the customer: the scene draws it, not the customer's own picture.
DRAWN = [name for name in VISIBLE_SHARES if name != "company"]


@pytest.mark.parametrize("headwear", VISIBLE_SHARES["headwear"])
@pytest.mark.parametrize("name", DRAWN)
def test_each_level_of_a_visible_attribute_is_drawn_differently(name: str, headwear: str) -> None:
    """Under every hat, too: no hat may hide hair or its colour."""
    customer = draw_customer(np.random.default_rng(12))
    visible = replace(customer.visible, headwear=headwear)
    drawn = {
        draw_persona(replace(customer, visible=replace(visible, **{name: level})))
        for level in VISIBLE_SHARES[name]
    }
    assert len(drawn) == len(VISIBLE_SHARES[name])


def test_the_same_customer_is_drawn_the_same_again() -> None:
    customer = draw_customer(np.random.default_rng(13))
    assert draw_persona(customer) == draw_persona(customer)
