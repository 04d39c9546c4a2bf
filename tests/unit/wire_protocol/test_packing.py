"""Packed pieces of files (T11: what comes out is bounded before it is there)."""

import random
import zlib

import pytest

from wire_protocol.packing import SMALLEST_BYTES, BadPacking, pack, unpack

_PIECE = bytes(random.Random(1).choices(range(100), k=16_384))


def test_what_is_packed_is_unpacked() -> None:
    """To the same bytes, and shorter on the way."""
    packed = pack(_PIECE)
    assert packed is not None
    assert len(packed) < 0.9 * len(_PIECE)
    assert unpack(packed, len(_PIECE)) == _PIECE


@pytest.mark.parametrize("piece", [b"", bytes(SMALLEST_BYTES - 1), random.Random(2).randbytes(5000)])
def test_what_packing_does_not_shorten_goes_as_it_is(piece: bytes) -> None:
    assert pack(piece) is None


def _packed() -> bytes:
    packed = pack(_PIECE)
    assert packed is not None
    return packed


def test_no_piece_but_the_one_that_was_said() -> None:
    """Cut off, longer, shorter, followed by something, or nothing packed at all."""
    packed = _packed()
    for wrong, length in (
        (packed[:-1], len(_PIECE)),
        (packed, len(_PIECE) - 1),
        (packed, len(_PIECE) + 1),
        (packed + b"x", len(_PIECE)),
        (b"\xff" * 100, 100),
        (b"", 0),
    ):
        with pytest.raises(BadPacking):
            unpack(wrong, length)


def test_a_bomb_does_not_go_off() -> None:
    """T11: a hundred megabytes in a hundred kilobytes; memory is bounded by the length that was said."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush()
    with pytest.raises(BadPacking):
        unpack(bomb, 16_384)
