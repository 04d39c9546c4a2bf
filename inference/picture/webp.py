"""The chunk walk over a WebP (RFC 9649): size and structure. Pure."""

from collections.abc import Iterator

from inference.picture.limits import Limits, PictureHeader, check_size, refusal

_LOSSLESS_SIGNATURE = 0x2F
_KEY_FRAME_START = b"\x9d\x01\x2a"
_ANIMATION = 0x02
_DECODED_CHUNKS = {b"VP8X", b"ALPH", b"VP8 ", b"VP8L", b"EXIF"}
"""EXIF for the orientation; profiles and XMP are left out."""
_MAX_CHUNKS = 64


def check_webp(data: bytes, limits: Limits) -> PictureHeader:
    """Walk all chunks of the RIFF container.

    Raises:
        RefusedPicture: Anything outside of `limits`, cut off, animated or inconsistent.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) or end < 20:
        raise refusal("truncated", "the WebP ends before its container says")
    if end < len(data) and not limits.trailing:
        raise refusal("trailing-data", f"{len(data) - end} bytes follow the end of the WebP")
    canvas: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    kept = []
    for kind, body, whole in _chunks(data, end):
        if kind == b"VP8X":
            canvas = _canvas(body)
        elif kind in {b"VP8 ", b"VP8L"}:
            if picture is not None:
                raise refusal("malformed", "the WebP has two pictures in it")
            picture = _lossy(body) if kind == b"VP8 " else _lossless(body)
            check_size(limits, *picture)
        if kind in _DECODED_CHUNKS:
            kept.append(whole)
    if picture is None:
        raise refusal("malformed", "the WebP has no picture in it")
    if canvas not in {None, picture}:
        raise refusal("malformed", "the WebP's canvas and picture differ in size")
    packed = b"".join(kept)
    header = b"RIFF" + (4 + len(packed)).to_bytes(4, "little") + b"WEBP"
    return PictureHeader("webp", *picture, header + packed)


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, body and all bytes of each chunk; odd ones have a byte of padding."""
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at == end:
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        after = at + 8 + length + length % 2
        if at + 8 > end or after > end:
            raise refusal("truncated", "the WebP ends inside a chunk")
        yield data[at : at + 4], data[at + 8 : at + 8 + length], data[at:after]
        at = after
    raise refusal("malformed", f"the WebP has more than {_MAX_CHUNKS} chunks")


def _canvas(body: bytes) -> tuple[int, int]:
    if len(body) != 10:
        raise refusal("malformed", "the WebP has a broken header")
    if body[0] & _ANIMATION:
        raise refusal("unsupported", "the WebP is an animation")
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _lossy(body: bytes) -> tuple[int, int]:
    # The first bit is 0 in a key frame, and only a key frame can stand alone.
    if len(body) < 10 or body[0] & 1 or body[3:6] != _KEY_FRAME_START:
        raise refusal("malformed", "the WebP has a broken picture header")
    width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    return width & 0x3FFF, height & 0x3FFF


def _lossless(body: bytes) -> tuple[int, int]:
    if len(body) < 5 or body[0] != _LOSSLESS_SIGNATURE:
        raise refusal("malformed", "the WebP has a broken picture header")
    packed = int.from_bytes(body[1:5], "little")
    return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
