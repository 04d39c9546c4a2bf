"""The chunk walk over PNG (threat T11)."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import RefusedPicture
from inference.picture.limits import LOCAL
from inference.picture.png import check_png
from tests.builders import hostile_pictures as hostile

GOOD = hostile.png(hostile.photo(64, 48))


def refused(data: bytes, reason: str) -> str:
    with pytest.raises(RefusedPicture) as caught:
        check_png(data, LOCAL)
    assert caught.value.reason == reason
    assert caught.value.remedy
    return str(caught.value)


def test_an_ordinary_picture_passes_unchanged() -> None:
    header = check_png(GOOD, LOCAL)
    assert (header.format, header.width, header.height) == ("png", 64, 48)
    assert header.data == GOOD


def test_huge_dimensions() -> None:
    refused(hostile.png_with_header_size(2**31 - 1, 2**31 - 1), "too-large")
    refused(hostile.png_with_header_size(10_000, 5_001), "too-large")


def test_dimensions_of_zero() -> None:
    refused(hostile.png_with_header_size(0, 5), "malformed")


def test_allowed_dimensions_that_the_data_cannot_fill() -> None:
    """Deflate gives at most 1032 bytes for one."""
    refused(hostile.png_with_header_size(7000, 7000), "truncated")


def test_the_densest_real_picture_passes() -> None:
    """All zero is the best that deflate can do; the bound must not refuse it."""
    assert check_png(hostile.png_of_zeros(3000, 3000), LOCAL).width == 3000


def test_compressed_texts_never_reach_the_decoder() -> None:
    """Nor do profiles and animation frames: only what the pixels depend on."""
    header = check_png(hostile.png_with_text_bomb(50_000_000), LOCAL)
    assert b"zTXt" not in header.data
    frames = GOOD[:33] + hostile.png_chunk(b"acTL", struct.pack(">II", 1000, 0)) + GOOD[33:]
    assert check_png(frames, LOCAL).data == GOOD


def test_two_headers() -> None:
    """Which one would the decoder believe?"""
    refused(GOOD[:33] + GOOD[8:33] + GOOD[33:], "malformed")


def test_a_first_chunk_that_is_no_header() -> None:
    refused(GOOD[:8] + hostile.png_chunk(b"tEXt", b"a\0b") + GOOD[8:], "malformed")


@pytest.mark.parametrize(
    "body",
    [
        struct.pack(">IIBBBBB", 9, 9, 3, 2, 0, 0, 0),
        struct.pack(">IIBBBBB", 9, 9, 8, 5, 0, 0, 0),
        struct.pack(">IIBBBBB", 9, 9, 8, 2, 1, 0, 0),
        struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 1, 0),
        struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 2),
        b"short",
    ],
)
def test_impossible_headers(body: bytes) -> None:
    refused(GOOD[:8] + hostile.png_chunk(b"IHDR", body) + GOOD[33:], "malformed")


def test_too_many_chunks() -> None:
    refused(GOOD[:33] + hostile.png_chunk(b"tEXt", b"") * 70_000 + GOOD[33:], "malformed")


@given(st.integers(8, len(GOOD) - 1))
def test_a_truncated_picture(length: int) -> None:
    """Wherever it was cut."""
    refused(GOOD[:length], "truncated")


def test_what_follows_the_end_is_cut_off() -> None:
    assert check_png(GOOD + b"PK\x03\x04 an archive", LOCAL).data == GOOD


@given(at=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
@settings(max_examples=300)
def test_a_changed_byte_ends_in_a_verdict(at: int, value: int) -> None:
    """Never in another exception, and never in a size beyond the limits."""
    data = bytearray(GOOD)
    data[at] = value
    try:
        header = check_png(bytes(data), LOCAL)
    except RefusedPicture:
        return
    assert header.width * header.height <= LOCAL.max_pixels
