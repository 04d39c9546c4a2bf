import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from simulator import wardrobe
from simulator.attributes import NUISANCE_SHARES, VISIBLE_SHARES


def pieces() -> Iterator[str]:
    for kind in VISIBLE_SHARES["clothing"]:
        for colour in VISIBLE_SHARES["clothing_colour"]:
            yield wardrobe.clothes(kind, colour, "#aa8866")
    for colour in VISIBLE_SHARES["clothing_colour"]:
        yield wardrobe.hood(colour)
        yield wardrobe.accessory_front("scarf", colour)
    for kind in VISIBLE_SHARES["headwear"]:
        yield from (wardrobe.headwear(kind, detail) for detail in range(4))
    for kind in VISIBLE_SHARES["accessory"]:
        yield wardrobe.accessory_behind(kind) + wardrobe.accessory_front(kind, "blue")
    for kind in NUISANCE_SHARES["head_cover"]:
        yield "".join(wardrobe.head_cover(kind, 9))
    yield from (wardrobe.age_marks(age) for age in NUISANCE_SHARES["age"])
    yield from (wardrobe.presentation_marks(way) for way in NUISANCE_SHARES["presentation"])
    yield wardrobe.side_hair("#123456") + wardrobe.temples("#123456")


def test_every_piece_is_well_formed_svg() -> None:
    for piece in pieces():
        ET.fromstring(f"<svg>{piece}</svg>")


def test_every_level_has_its_colours() -> None:
    assert set(wardrobe.CLOTHING_COLOURS) == set(VISIBLE_SHARES["clothing_colour"])
    assert set(wardrobe.HAIR_COLOURS) == set(VISIBLE_SHARES["hair_colour"])
    assert set(wardrobe.SKIN_TONES) == set(NUISANCE_SHARES["skin"])
    assert set(wardrobe.HAT_COLOURS) | {"none"} == set(VISIBLE_SHARES["headwear"])


@pytest.mark.parametrize("colour", VISIBLE_SHARES["hair_colour"])
def test_a_hair_colour_always_gives_one_of_its_own_tints(colour: str) -> None:
    tints = {wardrobe.hair_tint(colour, detail) for detail in range(30)}
    assert tints == set(wardrobe.HAIR_COLOURS[colour])
