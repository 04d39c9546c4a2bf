"""From a customer to a picture: the avatar styles, our own clothes and hats, and the rasteriser."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator import wardrobe
from simulator.customers import Customer
from simulator.errors import RenderingUnavailable

Picture = NDArray[np.uint8]

# The drawing's view box: wider than the style's own canvas for hats, taller for the torso.
VIEW_LEFT, VIEW_TOP, VIEW_WIDTH, VIEW_HEIGHT = -4, -1, 72, 88
PICTURE_HEIGHT = 352
PICTURE_WIDTH = PICTURE_HEIGHT * VIEW_WIDTH // VIEW_HEIGHT

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


@functools.cache
def _style(name: str) -> Any:
    try:
        from dicebear import Style
    except ImportError as error:
        raise RenderingUnavailable(
            "The packages that draw the simulated customers are not installed.",
            remedy="Install them with: pip install 'topscoop[sim]'",
        ) from error
    return Style(json.loads(files("dicebear_styles").joinpath(f"{name}.json").read_text("utf-8")))


def hair_tint(customer: Customer) -> str:
    """Return the colour of a customer's hair as `#rrggbb`."""
    tints = wardrobe.HAIR_COLOURS[customer.visible.hair_colour]
    return tints[customer.detail // 3 % len(tints)]


@functools.lru_cache(maxsize=4096)
def _persona(hair: str, eyes: str, mouth: str, nose: str, beard: str) -> str:
    """Return a persona's face as SVG, in placeholder colours; drawing one costs more than filling it in."""
    from dicebear import Avatar

    options = {
        "seed": "topscoop",
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
    svg = str(Avatar(_style("personas"), options))
    # The style's white sheens turn dark skin and hair grey; keep a third of them.
    svg = svg.replace('opacity=".36"', 'opacity=".12"').replace('opacity=".26"', 'opacity=".10"')
    return svg[svg.index(">") + 1 : svg.rindex("</svg>")]


def _persona_svg(customer: Customer) -> str:
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
    skin, hair = wardrobe.SKIN_TONES[nuisance.skin], hair_tint(customer)
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


def character_svg(customer: Customer, style: str = "personas") -> str:
    """Return a customer as an SVG document."""
    drawing = _DRAWINGS[style](customer)
    box = f"{VIEW_LEFT} {VIEW_TOP} {VIEW_WIDTH} {VIEW_HEIGHT}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing}</svg>'


def render_character(customer: Customer, style: str = "personas") -> Picture:
    """Render a customer [PICTURE_HEIGHT, PICTURE_WIDTH, 4] as premultiplied BGRA."""
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=character_svg(customer, style),
        width=PICTURE_WIDTH,
        height=PICTURE_HEIGHT,
        skip_system_fonts=True,
    )
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    picture = np.asarray(decoded, dtype=np.uint8)
    alpha = picture[:, :, 3:].astype(np.uint16)
    picture[:, :, :3] = (picture[:, :, :3] * alpha + 127) // 255
    return np.ascontiguousarray(picture, dtype=np.uint8)


_DRAWINGS = {"personas": _persona_svg}
