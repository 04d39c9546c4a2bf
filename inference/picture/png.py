"""The chunk walk over a PNG: size and structure; what only decorates the picture is left out. Pure."""

import struct

from inference.picture.limits import Limits, PictureHeader, check_size, refusal

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DECODED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
"""All that the pixels depend on. Text, profiles and animation frames are further compressed streams, which
nobody has checked; the decoder never sees them."""
_BITS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_CHUNK_FRAMING_BYTES = 12
_MAX_CHUNKS = 16_384
_DEFLATE_AT_BEST = 1032
"""Bytes out of one byte in; a stream that promises more is cut off."""


def check_png(data: bytes, limits: Limits) -> PictureHeader:
    """Walk all chunks from IHDR to IEND.

    Raises:
        RefusedPicture: Anything outside of `limits`, cut off, out of order or too short for its size.
    """
    kept = [SIGNATURE]
    packed_bytes = 0
    at = len(SIGNATURE)
    kind, end = _chunk(data, at)
    width, height, raw_bytes = _header(kind, data[at + 8 : end - 4], limits)
    for _ in range(_MAX_CHUNKS):
        if kind in _DECODED_CHUNKS:
            kept.append(data[at:end])
        if kind == b"IDAT":
            packed_bytes += end - at - _CHUNK_FRAMING_BYTES
        at = end
        if kind == b"IEND":
            break
        kind, end = _chunk(data, at)
        if kind == b"IHDR":
            raise refusal("malformed", "the PNG has two headers")
    else:
        raise refusal("malformed", f"the PNG has more than {_MAX_CHUNKS} chunks")
    if packed_bytes * _DEFLATE_AT_BEST < raw_bytes:
        raise refusal("truncated", f"the PNG has {packed_bytes} bytes for {width}x{height} pixels")
    if at < len(data) and not limits.trailing:
        raise refusal("trailing-data", f"{len(data) - at} bytes follow the end of the PNG")
    return PictureHeader("png", width, height, b"".join(kept))


def _chunk(data: bytes, at: int) -> tuple[bytes, int]:
    """The kind of the chunk at `at`, and where it ends."""
    if at + _CHUNK_FRAMING_BYTES > len(data):
        raise refusal("truncated", "the PNG ends before its end chunk")
    length, kind = struct.unpack_from(">I4s", data, at)
    end = at + _CHUNK_FRAMING_BYTES + length
    if end > len(data):
        raise refusal("truncated", "the PNG ends inside a chunk")
    return kind, end


def _header(kind: bytes, body: bytes, limits: Limits) -> tuple[int, int, int]:
    """Width, height, and the bytes of all unpacked rows."""
    if kind != b"IHDR" or len(body) != 13:
        raise refusal("malformed", "the PNG does not begin with its header")
    width, height, bits, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if bits not in _BITS.get(colour, set()) or compression or filtering or interlace > 1:
        raise refusal("malformed", "the PNG has an impossible header")
    check_size(limits, width, height)
    return width, height, height * (1 + (width * bits * _CHANNELS[colour] + 7) // 8)
