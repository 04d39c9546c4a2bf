"""The chunk walk over WebP (threat T11)."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import RefusedPicture
from inference.picture.limits import LOCAL
from inference.picture.webp import check_webp
from tests.builders import hostile_pictures as hostile

LOSSY = hostile.webp(hostile.photo(64, 48))
LOSSLESS = hostile.webp(hostile.photo(64, 48), lossless=True)


def refused(data: bytes, reason: str) -> str:
    with pytest.raises(RefusedPicture) as caught:
        check_webp(data, LOCAL)
    assert caught.value.reason == reason
    assert caught.value.remedy
    return str(caught.value)


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def container(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int, flags: int = 0) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


@pytest.mark.parametrize("data", [LOSSY, LOSSLESS], ids=["lossy", "lossless"])
def test_ordinary_pictures_pass(data: bytes) -> None:
    header = check_webp(data, LOCAL)
    assert (header.format, header.width, header.height) == ("webp", 64, 48)
    assert cv2.imdecode(np.frombuffer(header.data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)


def test_an_extended_picture_passes_without_its_profile() -> None:
    data = container(canvas(64, 48, 0x20), chunk(b"ICCP", b"profile"), LOSSY[12:])
    header = check_webp(data, LOCAL)
    assert header.width == 64
    assert b"profile" not in header.data


def test_a_canvas_of_another_size() -> None:
    """Which one would the decoder believe?"""
    refused(container(canvas(16000, 16000), LOSSY[12:]), "malformed")


def test_animations() -> None:
    refused(container(canvas(64, 48, 0x02), LOSSY[12:]), "unsupported")


def test_huge_dimensions() -> None:
    refused(hostile.webp_with_header_size(16383, 16383), "too-large")
    refused(container(chunk(b"VP8L", b"\x2f" + b"\xff" * 8)), "too-large")


def test_dimensions_of_zero() -> None:
    refused(hostile.webp_with_header_size(0, 48), "malformed")


def test_two_pictures() -> None:
    refused(container(LOSSY[12:], LOSSY[12:]), "malformed")


def test_no_picture() -> None:
    refused(container(chunk(b"EXIF", b"12345678")), "malformed")


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L"])
def test_a_broken_picture_header(kind: bytes) -> None:
    refused(container(chunk(kind, b"\x01" * 20)), "malformed")
    refused(container(chunk(kind, b"\x2f\x00\x00\x9d")), "malformed")


def test_too_many_chunks() -> None:
    refused(container(*[chunk(b"JUNK", b"")] * 100, LOSSY[12:]), "malformed")


@given(st.integers(12, len(LOSSY) - 1))
def test_a_truncated_picture(length: int) -> None:
    """Wherever it was cut."""
    refused(LOSSY[:length], "truncated")


def test_a_chunk_longer_than_its_container() -> None:
    refused(container(b"VP8 " + struct.pack("<I", 2**32 - 1) + b"\0" * 16), "truncated")


def test_what_follows_the_end_is_cut_off() -> None:
    assert check_webp(LOSSY + b"PK\x03\x04", LOCAL).data == check_webp(LOSSY, LOCAL).data


@given(at=st.integers(0, len(LOSSY) - 1), value=st.integers(0, 255))
@settings(max_examples=300)
def test_a_changed_byte_ends_in_a_verdict(at: int, value: int) -> None:
    """Never in another exception, and never in a size beyond the limits."""
    data = bytearray(LOSSY)
    data[at] = value
    try:
        header = check_webp(bytes(data), LOCAL)
    except RefusedPicture:
        return
    assert header.width * header.height <= LOCAL.max_pixels
