"""The marker walk (threat T11): every way in which a JPEG can lie is found without decoding it."""

import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import RefusedPicture
from inference.picture.jpeg import check_jpeg
from inference.picture.limits import LOCAL, STRICT, Limits
from tests.builders import hostile_pictures as hostile

GOOD = hostile.jpeg()


def refused(data: bytes, reason: str, limits: Limits = STRICT) -> str:
    with pytest.raises(RefusedPicture) as caught:
        check_jpeg(data, limits)
    assert caught.value.reason == reason
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize("limits", [STRICT, LOCAL], ids=["strict", "local"])
@pytest.mark.parametrize("size", [(320, 240), (1, 1), (17, 9), (2000, 2000)])
def test_ordinary_pictures_pass(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    header = check_jpeg(hostile.jpeg(hostile.photo(width, height)), limits)
    assert (header.format, header.width, header.height) == ("jpeg", width, height)


def test_grey_pictures_pass() -> None:
    assert check_jpeg(hostile.jpeg(np.full((50, 60), 7, np.uint8)), STRICT).width == 60


def test_one_colour_needs_few_bits_but_enough() -> None:
    """The bound on bits per block refuses no real picture, however dull."""
    dull = np.full((2000, 2000, 3), 128, np.uint8)
    for options in ([], [cv2.IMWRITE_JPEG_OPTIMIZE, 1], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]):
        data = cv2.imencode(".jpg", dull, options)[1].tobytes()
        assert check_jpeg(data, LOCAL).height == 2000


@pytest.mark.parametrize("factor", ["411", "420", "422", "440", "444"])
def test_every_chroma_sampling_passes(factor: str) -> None:
    sampling = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{factor}")
    dull = np.full((1001, 1003, 3), 90, np.uint8)
    data = cv2.imencode(".jpg", dull, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling])[1].tobytes()
    assert check_jpeg(data, STRICT).width == 1003


def test_restart_markers_and_stuffed_bytes_belong_to_a_scan() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    data = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes()
    assert b"\xff\xd0" in data
    assert b"\xff\x00" in data
    assert check_jpeg(data, STRICT).data == data


def test_fill_bytes_before_a_marker_are_allowed() -> None:
    at = GOOD.index(b"\xff\xc0")
    assert check_jpeg(GOOD[:at] + b"\xff" * 5 + GOOD[at:], STRICT).width == 320


def test_huge_dimensions() -> None:
    """The 5 KB header that asks for 12 GB."""
    assert "65500x65500" in refused(hostile.jpeg_with_header_size(65500, 65500), "too-large")
    refused(hostile.jpeg_with_header_size(65500, 65500), "too-large", LOCAL)
    refused(hostile.jpeg_with_header_size(2001, 2000), "too-large", STRICT)


def test_dimensions_of_zero() -> None:
    """Height 0 would be told after the scan."""
    refused(hostile.jpeg_with_header_size(320, 0), "malformed")
    refused(hostile.jpeg_with_header_size(0, 240), "malformed")


def test_allowed_dimensions_that_the_data_cannot_fill() -> None:
    """A small file may not claim a large buffer."""
    refused(hostile.jpeg_with_header_size(7000, 7000), "truncated", LOCAL)


def test_a_progressive_picture_is_for_local_files_only() -> None:
    data = hostile.jpeg(progressive=True)
    assert check_jpeg(data, LOCAL).width == 320
    refused(data, "unsupported", STRICT)


def test_a_progressive_scan_bomb() -> None:
    """Hundreds of scans, each a pass over all of the picture."""
    refused(hostile.jpeg_with_scans(500), "too-many-scans", LOCAL)


def test_scans_are_dearer_for_large_pictures() -> None:
    few = replace(LOCAL, max_scan_pixels=320 * 240 * 3)
    refused(hostile.jpeg(progressive=True), "too-many-scans", few)


def test_a_baseline_picture_with_more_scans_than_channels() -> None:
    refused(hostile.jpeg_with_scans(3, progressive=False), "too-many-scans", LOCAL)


def test_a_million_empty_segments() -> None:
    refused(hostile.jpeg_with_empty_comments(100_000), "malformed")
    assert check_jpeg(hostile.jpeg_with_empty_comments(500), STRICT).width == 320


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF])
def test_rare_processes_are_not_supported(marker: int) -> None:
    """Lossless, hierarchical and arithmetic coding: rarely seen, rarely tested."""
    refused(GOOD.replace(b"\xff\xc0", bytes([0xFF, marker]), 1), "unsupported", LOCAL)


def test_twelve_bits_and_four_channels() -> None:
    at = GOOD.index(b"\xff\xc0")
    refused(GOOD[: at + 4] + b"\x0c" + GOOD[at + 5 :], "unsupported")
    inks = struct.pack(">HBHHB", 8 + 12, 8, 240, 320, 4) + b"\x01\x11\x00" * 4
    refused(GOOD[: at + 2] + inks + GOOD[at + 19 :], "unsupported", LOCAL)


def test_a_frame_header_of_another_length_than_its_channels() -> None:
    at = GOOD.index(b"\xff\xc0")
    refused(GOOD[: at + 9] + b"\x01" + GOOD[at + 10 :], "malformed")


def test_an_impossible_sampling() -> None:
    at = GOOD.index(b"\xff\xc0")
    refused(GOOD[: at + 11] + b"\x00" + GOOD[at + 12 :], "malformed")


def test_two_frame_headers() -> None:
    """Which one would the decoder believe?"""
    at = GOOD.index(b"\xff\xc0")
    refused(GOOD[:at] + GOOD[at : at + 19] + GOOD[at:], "malformed")


def test_a_scan_without_a_frame_header() -> None:
    at = GOOD.index(b"\xff\xc0")
    refused(GOOD[:at] + GOOD[at + 19 :], "malformed")


def test_nothing_but_start_and_end() -> None:
    refused(b"\xff\xd8\xff\xd9", "malformed")


@pytest.mark.parametrize("marker", [0xD8, 0xD0, 0x01, 0xDC, 0xDE])
def test_markers_where_none_belong(marker: int) -> None:
    refused(GOOD[:2] + bytes([0xFF, marker]) + GOOD[2:], "malformed")


def test_garbage_between_segments() -> None:
    refused(GOOD[:2] + b"garbage" + GOOD[2:], "malformed")


def test_a_segment_shorter_than_its_own_length() -> None:
    refused(GOOD[:2] + b"\xff\xfe\x00\x01" + GOOD[2:], "malformed")


@given(st.integers(2, len(GOOD) - 1))
def test_a_truncated_picture(length: int) -> None:
    """Wherever it was cut."""
    refused(GOOD[:length], "truncated")


def test_what_follows_the_end() -> None:
    """A polyglot is a picture and something else; phones append previews, which local files may keep."""
    polyglot = GOOD + b"PK\x03\x04" + b"\0" * 100
    assert "104 bytes follow" in refused(polyglot, "trailing-data")
    assert check_jpeg(polyglot, LOCAL).data == GOOD
    refused(GOOD + GOOD, "trailing-data")


@given(at=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
@settings(max_examples=300)
def test_a_changed_byte_ends_in_a_verdict(at: int, value: int) -> None:
    """Never in another exception, and never in a size beyond the limits."""
    data = bytearray(GOOD)
    data[at] = value
    try:
        header = check_jpeg(bytes(data), STRICT)
    except RefusedPicture:
        return
    assert header.width * header.height <= STRICT.max_pixels
