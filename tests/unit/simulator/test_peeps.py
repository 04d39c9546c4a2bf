from dataclasses import replace

import numpy as np
import pytest

from simulator.attributes import VISIBLE_SHARES
from simulator.customers import draw_customer
from simulator.peeps import draw_peep


@pytest.mark.parametrize(
    "name", ["headwear", "hair", "hair_colour", "clothing", "clothing_colour", "accessory"]
)
def test_the_second_style_draws_each_level_differently(name: str) -> None:
    customer = draw_customer(np.random.default_rng(14))
    drawn = {
        draw_peep(replace(customer, visible=replace(customer.visible, **{name: level})))
        for level in VISIBLE_SHARES[name]
    }
    assert len(drawn) == len(VISIBLE_SHARES[name])


def test_the_hair_has_its_colour_and_the_face_is_black() -> None:
    customer = draw_customer(np.random.default_rng(15))
    red = replace(customer.visible, hair="long", headwear="none", hair_colour="red")
    drawn = draw_peep(replace(customer, visible=red, detail=0))
    head, face = drawn.split('<g id="expression-')
    assert "#c4511f" in head
    assert "#c4511f" not in face
