"""Photographs as phones take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


def twelve_megapixels(file: Path) -> Path:
    """A JPEG that compresses badly, turned on its side, with a place in it."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 156, (150, 200, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    pixels = coarse + rng.integers(0, 100, (3000, 4000, 1), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(pixels).save(file, quality=90, exif=exif)
    return file
