"""One question before decoding: what is this, and is it within the limits? Pure."""

from inference.picture.jpeg import check_jpeg
from inference.picture.limits import Limits, PictureHeader, refusal
from inference.picture.png import SIGNATURE, check_png
from inference.picture.webp import check_webp

_STRANGERS = (
    (b"GIF8", 0, "a GIF"),
    (b"BM", 0, "a BMP"),
    (b"II*\0", 0, "a TIFF or raw photo"),
    (b"MM\0*", 0, "a TIFF or raw photo"),
    (b"ftyp", 4, "a HEIC photo, an AVIF or a film"),
    (b"%PDF", 0, "a PDF"),
    (b"<svg", 0, "an SVG"),
    (b"PK\x03\x04", 0, "a ZIP archive"),
)


def check_picture(data: bytes, limits: Limits) -> PictureHeader:
    """Size and format of a picture that may be decoded.

    Raises:
        RefusedPicture: It may not.
    """
    if not data:
        raise refusal("empty", "the picture has no bytes")
    if len(data) > limits.max_bytes:
        raise refusal("too-long", f"the picture has more than {limits.max_bytes:,} bytes")
    kind = _format(data)
    if kind not in limits.formats:
        found = kind.upper() if kind else _stranger(data)
        allowed = " or ".join(sorted(name.upper() for name in limits.formats))
        raise refusal("unknown-format", f"this is {found}, only {allowed} is taken here")
    if kind == "jpeg":
        return check_jpeg(data, limits)
    return check_png(data, limits) if kind == "png" else check_webp(data, limits)


def _format(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(SIGNATURE):
        return "png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return ""


def _stranger(data: bytes) -> str:
    for magic, at, name in _STRANGERS:
        if data[at : at + len(magic)] == magic:
            return name
    return "no picture"
