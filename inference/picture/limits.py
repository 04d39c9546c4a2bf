"""What a picture may be before anything decodes it: one profile for the network, one for local files."""

from dataclasses import dataclass

from inference.errors import RefusedPicture

_MIB = 1 << 20
_MPIX = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one profile.

    Args:
        formats: Of `jpeg`, `png`, `webp`.
        max_bytes: Of the compressed picture.
        max_pixels: Width times height, as the header says.
        max_scans: Of one JPEG; a progressive one repeats its work for each.
        max_scan_pixels: Scans times pixels, because that is what a progressive JPEG costs.
        progressive: Whether a progressive JPEG is taken at all.
        trailing: Whether bytes after the picture are cut off (phones append previews and clips) or refused.
        orientation: Whether the EXIF orientation is honoured.
        reduce: Whether large pictures are decoded at a fraction of their size.
        memory_bytes: What the worker may take beyond its idle size (RLIMIT_AS).
        cpu_s: Processor seconds for one picture (RLIMIT_CPU).
        deadline_s: Wall-clock seconds for one picture, then the worker is killed.
    """

    formats: frozenset[str]
    max_bytes: int
    max_pixels: int
    max_scans: int
    max_scan_pixels: int
    progressive: bool
    trailing: bool
    orientation: bool
    reduce: bool
    memory_bytes: int
    cpu_s: int
    deadline_s: float


STRICT = Limits(
    formats=frozenset({"jpeg"}),
    max_bytes=5_000_000,
    max_pixels=4 * _MPIX,
    max_scans=3,
    max_scan_pixels=12 * _MPIX,
    progressive=False,
    trailing=False,
    orientation=False,
    reduce=False,
    memory_bytes=64 * _MIB,
    cpu_s=2,
    deadline_s=3.0,
)
"""For whatever comes over a network: what Topscoop's own clients send, and nothing else."""

LOCAL = Limits(
    formats=frozenset({"jpeg", "png", "webp"}),
    max_bytes=64 * _MIB,
    max_pixels=50 * _MPIX,
    max_scans=24,
    max_scan_pixels=600 * _MPIX,
    progressive=True,
    trailing=True,
    orientation=True,
    reduce=True,
    memory_bytes=768 * _MIB,
    cpu_s=10,
    deadline_s=15.0,
)
"""For files that the operator names: photos of phones and cameras as they are."""

REASONS = (
    "empty",
    "too-long",
    "unknown-format",
    "truncated",
    "malformed",
    "unsupported",
    "too-large",
    "too-many-scans",
    "trailing-data",
    "undecodable",
    "too-slow",
    "too-much-memory",
    "decoder-died",
)
"""Every `RefusedPicture.reason`, for counters."""

_REMEDIES = {
    "empty": "Give a file that holds a picture.",
    "too-long": "Save the picture smaller or with less quality.",
    "unknown-format": "Save it as JPEG or PNG.",
    "truncated": "Copy or download the picture again; the end is missing.",
    "malformed": "Open it in a picture program and save it again as JPEG.",
    "unsupported": "Save it as an ordinary 8-bit RGB or grey JPEG.",
    "too-large": "Scale the picture down.",
    "too-many-scans": "Save it as a baseline (not progressive) JPEG.",
    "trailing-data": "Send the picture alone, without anything behind it.",
    "undecodable": "Open it in a picture program and save it again as JPEG.",
    "too-slow": "Scale the picture down, or save it as a baseline JPEG.",
    "too-much-memory": "Scale the picture down.",
    "decoder-died": "Open it in a picture program and save it again as JPEG.",
}


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What the structure of a picture says; `data` is what may be decoded, without what was cut off."""

    format: str
    width: int
    height: int
    data: bytes


def refusal(reason: str, message: str) -> RefusedPicture:
    """The error for one of `REASONS`, with what to do about it."""
    return RefusedPicture(reason, message, remedy=_REMEDIES[reason])


def check_size(limits: Limits, width: int, height: int) -> None:
    """Refuse a picture by the dimensions of its header."""
    if width < 1 or height < 1:
        raise refusal("malformed", f"the picture says it is {width}x{height} pixels")
    if width * height > limits.max_pixels:
        raise refusal(
            "too-large",
            f"the picture has {width}x{height} pixels, more than {limits.max_pixels / _MPIX:g} million",
        )
