"""Guarded decoding of pictures that somebody else made (threat T11).

`PictureDecoder` checks a picture's structure here, then has it decoded in a confined process. `STRICT` is for
what comes over a network, `LOCAL` for files that the operator names.
"""

from inference.picture.check import check_picture
from inference.picture.decoder import PictureDecoder
from inference.picture.jpeg import check_jpeg
from inference.picture.limits import LOCAL, REASONS, STRICT, Limits, PictureHeader

__all__ = [
    "LOCAL",
    "REASONS",
    "STRICT",
    "Limits",
    "PictureDecoder",
    "PictureHeader",
    "check_jpeg",
    "check_picture",
]
