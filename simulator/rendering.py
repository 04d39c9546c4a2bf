"""From a customer to a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.customers import Customer
from simulator.errors import RenderingUnavailable
from simulator.peeps import draw_peep
from simulator.personas import draw_persona

Picture = NDArray[np.uint8]

# The drawing's view box: wider than the style's own canvas for hats, taller for the torso.
VIEW_LEFT, VIEW_TOP, VIEW_WIDTH, VIEW_HEIGHT = -4, -1, 72, 88
PICTURE_HEIGHT = 352
PICTURE_WIDTH = PICTURE_HEIGHT * VIEW_WIDTH // VIEW_HEIGHT

# Training and the demo use `personas`; `open-peeps` shows the same attributes in another hand, to see
# how a model copes with a world that it was not trained on.
STYLES = {"personas": draw_persona, "open-peeps": draw_peep}


def character_svg(customer: Customer, style: str = "personas") -> str:
    """Return a customer as an SVG document."""
    drawing = STYLES[style](customer)
    box = f"{VIEW_LEFT} {VIEW_TOP} {VIEW_WIDTH} {VIEW_HEIGHT}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing}</svg>'


def render_character(customer: Customer, style: str = "personas") -> Picture:
    """Render a customer [PICTURE_HEIGHT, PICTURE_WIDTH, 4] as premultiplied BGRA.

    Raises:
        RenderingUnavailable: The drawing packages are not installed.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise RenderingUnavailable(
            "The package that rasterises the simulated customers is not installed.",
            remedy="Install it with: pip install 'topscoop[sim]'",
        ) from error

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
