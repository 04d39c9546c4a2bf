"""Pieces of files, packed with raw DEFLATE (RFC 1951): networks shrink by a tenth. Pure."""

import zlib
from typing import Final

LEVEL: Final = 6
"""25 ms a megabyte here; level 1 saves no time worth a word on networks, which hold little that repeats."""
WORTH: Final = 0.98
"""What does not come below this share of its size goes as it is."""
SMALLEST_BYTES: Final = 128
_RAW: Final = -15


class BadPacking(ValueError):
    """The bytes are no packed piece of the length that was said."""


def pack(data: bytes) -> bytes | None:
    """The packed bytes; None where they are not worth it."""
    if len(data) < SMALLEST_BYTES:
        return None
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    packed = packer.compress(data) + packer.flush()
    return packed if len(packed) < WORTH * len(data) else None


def unpack(packed: bytes, length: int) -> bytes:
    """The piece; takes no more memory than its length, whatever was packed.

    Args:
        packed: Of `pack`.
        length: Of the piece in bytes.

    Raises:
        BadPacking: It is not that long, is cut off, or something follows.
    """
    unpacker = zlib.decompressobj(_RAW)
    try:
        data = unpacker.decompress(packed, length + 1)
    except zlib.error as error:
        raise BadPacking("these bytes are not packed") from error
    if len(data) != length or not unpacker.eof or unpacker.unused_data:
        raise BadPacking(f"this is no packed piece of {length} bytes")
    return data
