import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from simulator.attributes import NUISANCE_SHARES, VISIBLE_SHARES
from simulator.customers import draw_customer
from simulator.rendering import PICTURE_HEIGHT, PICTURE_WIDTH, STYLES, character_svg, render_character


@pytest.mark.parametrize("style", STYLES)
def test_a_picture_is_premultiplied_bgra_with_an_empty_corner(style: str) -> None:
    picture = render_character(draw_customer(np.random.default_rng(16)), style)
    assert picture.shape == (PICTURE_HEIGHT, PICTURE_WIDTH, 4)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [0, 0, 0, 0]
    assert picture[-20, PICTURE_WIDTH // 2, 3] == 255
    assert np.all(picture[:, :, :3] <= picture[:, :, 3:])


@pytest.mark.parametrize("style", STYLES)
def test_a_customer_is_a_well_formed_document(style: str) -> None:
    ET.fromstring(character_svg(draw_customer(np.random.default_rng(17)), style))


def test_rendering_twice_gives_the_same_bytes() -> None:
    customer = draw_customer(np.random.default_rng(18))
    assert np.array_equal(render_character(customer), render_character(customer))


@pytest.mark.parametrize("name", ["headwear", "hair_colour", "clothing", "clothing_colour", "accessory"])
def test_a_visible_attribute_covers_enough_of_the_picture_to_be_read(name: str) -> None:
    """Each change of level moves at least 0.8 % of the picture, about 60 pixels of a 160 px frame."""
    customer = draw_customer(np.random.default_rng(19))
    customer = replace(customer, visible=replace(customer.visible, headwear="none", hair="long"))
    pictures = [
        render_character(replace(customer, visible=replace(customer.visible, **{name: level}))).astype(int)
        for level in VISIBLE_SHARES[name]
    ]
    for position, picture in enumerate(pictures[1:]):
        changed = np.abs(picture - pictures[position]).max(axis=2) > 24
        assert changed.mean() > 0.008


@pytest.mark.parametrize("name", NUISANCE_SHARES)
def test_a_nuisance_attribute_shows_too(name: str) -> None:
    """A fairness figure would mean nothing if the swap could not be seen."""
    customer = draw_customer(np.random.default_rng(20))
    customer = replace(customer, visible=replace(customer.visible, headwear="none", accessory="none"))
    pictures = {
        render_character(replace(customer, nuisance=replace(customer.nuisance, **{name: level}))).tobytes()
        for level in NUISANCE_SHARES[name]
    }
    assert len(pictures) == len(NUISANCE_SHARES[name])
