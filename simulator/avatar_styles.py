"""Avatar styles loaded once, and drawings in them as SVG without the document around it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from simulator.errors import RenderingUnavailable


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


def draw_avatar(style: str, options: Mapping[str, Any]) -> str:
    """Return an avatar's SVG elements, without the `<svg>` around them.

    Raises:
        RenderingUnavailable: The drawing packages are not installed.
    """
    loaded = _style(style)
    from dicebear import Avatar

    svg = str(Avatar(loaded, {"seed": "topscoop", **options}))
    return svg[svg.index(">") + 1 : svg.rindex("</svg>")]
