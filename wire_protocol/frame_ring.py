"""Layout of a frame ring: raw pictures that one process hands to another through a mapped file.

    header   magic, width, height, slots, 0, newest sequence, its time
    slot     sequence, time, height*width*3 bytes of BGR        (`slots` times)

A writer clears a slot's sequence, writes the pixels, then the sequence, then the header's. A reader
compares the slot's sequence before and after its copy: different, or zero, means that it was overtaken.
Little-endian; times are nanoseconds of CLOCK_MONOTONIC, which all processes of one machine share.
"""

import struct
from dataclasses import dataclass
from typing import Self

MAGIC = b"TSRING01"
SLOTS = 4
"""A reader that copies within three frame times of its writer is never overtaken."""
MAX_SIDE_PX = 4096

_HEADER = struct.Struct("<8sIIIIQQ")
_SLOT = struct.Struct("<QQ")
_NEWEST = struct.Struct("<QQ")
_NEWEST_OFFSET = _HEADER.size - _NEWEST.size


class RingFormatError(ValueError):
    """The bytes are no frame ring of this version."""


@dataclass(frozen=True)
class RingLayout:
    """Where everything lies in a ring of `slots` pictures of `width` x `height` pixels."""

    width: int
    height: int
    slots: int = SLOTS

    @property
    def frame_bytes(self) -> int:
        """Bytes of one picture."""
        return self.width * self.height * 3

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole file."""
        return _HEADER.size + self.slots * (_SLOT.size + self.frame_bytes)

    def slot_offset(self, sequence: int) -> int:
        """Where the slot of this frame number begins; its pixels follow `SLOT_HEADER_BYTES` later."""
        return _HEADER.size + (sequence % self.slots) * (_SLOT.size + self.frame_bytes)

    def header(self) -> bytes:
        """The header of an empty ring."""
        return _HEADER.pack(MAGIC, self.width, self.height, self.slots, 0, 0, 0)

    @classmethod
    def parse(cls, header: bytes) -> Self:
        """The layout that a file's first `HEADER_BYTES` bytes describe.

        Raises:
            RingFormatError: Too short, another magic, or sizes beyond the limits.
        """
        if len(header) < _HEADER.size:
            raise RingFormatError(
                f"a frame ring starts with {_HEADER.size} bytes of header, got {len(header)}"
            )
        magic, width, height, slots, _, _, _ = _HEADER.unpack(header[: _HEADER.size])
        if magic != MAGIC:
            raise RingFormatError(f"not a frame ring: starts with {magic!r}, expected {MAGIC!r}")
        if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX and 1 < slots <= 64):
            raise RingFormatError(f"impossible frame ring: {width}x{height} pixels in {slots} slots")
        return cls(width, height, slots)


HEADER_BYTES = _HEADER.size
SLOT_HEADER_BYTES = _SLOT.size


def read_newest(buffer: memoryview) -> tuple[int, int]:
    """Number of the newest complete frame (0: none yet) and its time in ns."""
    sequence, captured_ns = _NEWEST.unpack_from(buffer, _NEWEST_OFFSET)
    return sequence, captured_ns


def write_newest(buffer: memoryview, sequence: int, captured_ns: int) -> None:
    """Announce a complete frame."""
    _NEWEST.pack_into(buffer, _NEWEST_OFFSET, sequence, captured_ns)


def read_slot_header(buffer: memoryview, offset: int) -> tuple[int, int]:
    """Frame number in the slot (0: being written) and its time in ns."""
    sequence, captured_ns = _SLOT.unpack_from(buffer, offset)
    return sequence, captured_ns


def write_slot_header(buffer: memoryview, offset: int, sequence: int, captured_ns: int) -> None:
    """Mark a slot as holding this frame; sequence 0 while its pixels change."""
    _SLOT.pack_into(buffer, offset, sequence, captured_ns)
