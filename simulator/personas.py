"""Customers in the style "Personas by Draftbit" (CC BY 4.0), in clothes and hats of our own.

The style's own hats and caps replace the hair; ours leave it visible, so that hats and hair stay
independent of each other.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from simulator import wardrobe
from simulator.avatar_styles import draw_avatar
from simulator.customers import Customer

_HAIR: Mapping[str, tuple[str, ...]] = {
    "short": ("shortCombover", "shortComboverChops", "fade"),
    "long": ("long", "extraLong", "bobCut"),
    "curly": ("curly",),
    "tied": ("straightBun", "curlyBun", "pigtails"),
}
# Under a hat the group must still show: short hair by its temples, tied hair by braids.
_HAIR_UNDER_HAT: Mapping[str, tuple[str, ...]] = {
    "short": ("bald",),
    "long": ("long", "extraLong"),
    "curly": ("curly",),
    "tied": ("bald",),
}
_MOUTHS: Mapping[str, str] = {
    "smile": "smile",
    "laugh": "bigSmile",
    "smirk": "smirk",
    "surprise": "surprise",
    "frown": "frown",
}
_BEARDS = ("goatee", "pyramid", "walrus", "soulPatch", "shadow")


@functools.lru_cache(maxsize=4096)
def _persona(hair: str, eyes: str, mouth: str, nose: str, beard: str) -> str:
    """Return a persona's face as SVG, in placeholder colours; drawing one costs more than filling it in."""
    options = {
        "hairVariant": hair,
        "eyesVariant": eyes,
        "mouthVariant": mouth,
        "noseVariant": nose,
        "facialHairVariant": beard or "goatee",
        "facialHairProbability": 100 if beard else 0,
        "clothesVariant": "small",
        "clothingColor": "#0a0b0c",
        "hairColor": "#0d0e0f",
        "facialHairColor": "#0d0e0f",
        "skinColor": "#0a0d10",
    }
    svg = draw_avatar("personas", options)
    # The style's white sheens turn dark skin and hair grey; keep a third of them.
    return svg.replace('opacity=".36"', 'opacity=".12"').replace('opacity=".26"', 'opacity=".10"')


def draw_persona(customer: Customer) -> str:
    """Return a customer's SVG elements in the personas style."""
    visible, nuisance, detail = customer.visible, customer.nuisance, customer.detail
    hatted = visible.headwear != "none"
    variants = (_HAIR_UNDER_HAT if hatted else _HAIR)[visible.hair]
    face = _persona(
        variants[detail % len(variants)],
        visible.accessory if visible.accessory in {"glasses", "sunglasses"} else "open",
        _MOUTHS[nuisance.mood],
        "wrinkles" if nuisance.age == "senior" else "smallRound",
        _BEARDS[detail // 5 % len(_BEARDS)] if nuisance.presentation == "masculine" else "",
    )
    skin, hair = (
        wardrobe.SKIN_TONES[nuisance.skin],
        wardrobe.hair_tint(customer.visible.hair_colour, customer.detail),
    )
    face = face.replace("#0d0e0f", hair).replace("#0a0d10", skin).replace("#0a0b0c", skin)
    cover_behind, cover_front = wardrobe.head_cover(nuisance.head_cover, detail)
    under_hat = ""
    if hatted and visible.hair in {"short", "tied"}:
        under_hat = wardrobe.temples(hair)
    braids = wardrobe.side_hair(hair) if hatted and visible.hair == "tied" else ""
    return "".join(
        (
            wardrobe.accessory_behind(visible.accessory),
            cover_behind,
            wardrobe.hood(visible.clothing_colour) if visible.clothing == "hoodie" else "",
            face,
            wardrobe.age_marks(nuisance.age),
            wardrobe.presentation_marks(nuisance.presentation),
            under_hat,
            wardrobe.clothes(visible.clothing, visible.clothing_colour, skin),
            wardrobe.accessory_front(visible.accessory, visible.clothing_colour)
            if visible.accessory != "headphones"
            else "",
            braids,
            cover_front,
            wardrobe.headwear(visible.headwear, detail),
            wardrobe.accessory_front("headphones", "") if visible.accessory == "headphones" else "",
        )
    )
