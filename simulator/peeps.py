"""Customers in the style "Open Peeps" (CC0): the same attributes drawn by another hand.

Clothes, hats and accessories are ours, as in the personas style; head, hair, face and glasses are the
style's. Age shows less than in the personas style, for Open Peeps has one old face for all moods.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator import wardrobe
from simulator.avatar_styles import draw_avatar
from simulator.customers import Customer

# Where the first component that is no hair begins.
_FACE_FROM = '<g id="expression-'

_HAIR: Mapping[str, tuple[str, ...]] = {
    "short": ("short1", "short2", "pomp"),
    "long": ("long", "longBangs", "mediumStraight"),
    "curly": ("afro", "longCurly"),
    "tied": ("grayBun", "buns"),
}
_HAIR_UNDER_HAT: Mapping[str, tuple[str, ...]] = {
    "short": ("short1",),
    "long": ("long", "mediumStraight"),
    "curly": ("dreads1",),
    "tied": ("short2",),
}
_EXPRESSIONS: Mapping[str, str] = {
    "smile": "smile",
    "laugh": "smileBig",
    "smirk": "cheeky",
    "surprise": "awe",
    "frown": "concerned",
}
_BEARDS = ("moustache1", "moustache4", "goatee1", "chin")

# From the style's canvas of 704 to ours; the style's own shoulders end where our torso begins.
_PLACE = "translate(-7.5 -11) scale(.104)"
# These heads are a little wider than the ones our hats were drawn for.
_HAT_PLACE = "translate(-3.4 -2.2) scale(1.12)"
_HEAD_AND_NECK = "M-8 -4 H72 V51 Q52 50 38 51 Q32 62 26 51 Q12 50 -8 51 Z"


def draw_peep(customer: Customer) -> str:
    """Return a customer's SVG elements in the Open Peeps style."""
    visible, nuisance, detail = customer.visible, customer.nuisance, customer.detail
    hatted = visible.headwear != "none"
    heads = (_HAIR_UNDER_HAT if hatted else _HAIR)[visible.hair]
    beards = nuisance.presentation == "masculine"
    sees = visible.accessory in {"glasses", "sunglasses"}
    skin = wardrobe.SKIN_TONES[nuisance.skin]
    hair = wardrobe.hair_tint(visible.hair_colour, detail)
    head = draw_avatar(
        "open-peeps",
        {
            "headVariant": heads[detail % len(heads)],
            "expressionVariant": "old" if nuisance.age == "senior" else _EXPRESSIONS[nuisance.mood],
            "facialHairVariant": _BEARDS[detail // 5 % len(_BEARDS)],
            "facialHairProbability": 100 if beards else 0,
            "accessoriesVariant": "sunglasses" if visible.accessory == "sunglasses" else "glasses3",
            "accessoriesProbability": 100 if sees else 0,
            "maskProbability": 0,
            "clothingColor": wardrobe.CLOTHING_COLOURS[visible.clothing_colour],
            "headContrastColor": hair,
            "inkColor": hair,
            "skinColor": skin,
        },
    )
    # Ink draws hair and face alike: give it the hair's colour up to the face, and black from there.
    face = head.index(_FACE_FROM)
    head = head[:face] + head[face:].replace(hair, "#17141a")
    cover_behind, cover_front = wardrobe.head_cover(nuisance.head_cover, detail)
    return "".join(
        (
            f'<clipPath id="head"><path d="{_HEAD_AND_NECK}"/></clipPath>',
            wardrobe.accessory_behind(visible.accessory),
            cover_behind,
            wardrobe.hood(visible.clothing_colour) if visible.clothing == "hoodie" else "",
            f'<g clip-path="url(#head)"><g transform="{_PLACE}">{head}</g></g>',
            wardrobe.clothes(visible.clothing, visible.clothing_colour, skin),
            wardrobe.accessory_front(visible.accessory, visible.clothing_colour)
            if visible.accessory != "headphones"
            else "",
            wardrobe.side_hair(hair) if hatted and visible.hair == "tied" else "",
            cover_front,
            f'<g transform="{_HAT_PLACE}">{wardrobe.headwear(visible.headwear, detail)}</g>',
            wardrobe.accessory_front("headphones", "") if visible.accessory == "headphones" else "",
        )
    )
