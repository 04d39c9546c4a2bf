"""What a picture is, and whether it may be decoded at all (threat T11)."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.config import PublicApiConfig
from inference.errors import RefusedPicture
from inference.picture.check import check_picture
from inference.picture.limits import LOCAL, REASONS, STRICT, Limits
from tests.builders import hostile_pictures as hostile


def refused(data: bytes, reason: str, limits: Limits = LOCAL) -> str:
    with pytest.raises(RefusedPicture) as caught:
        check_picture(data, limits)
    assert caught.value.reason == reason
    assert reason in REASONS
    assert caught.value.remedy
    return str(caught.value)


def test_local_files_may_be_of_three_formats() -> None:
    for data, name in ((hostile.jpeg(), "jpeg"), (hostile.png(), "png"), (hostile.webp(), "webp")):
        assert check_picture(data, LOCAL).format == name


def test_the_network_may_send_jpeg_only() -> None:
    assert check_picture(hostile.jpeg(), STRICT).format == "jpeg"
    assert "this is PNG, only JPEG" in refused(hostile.png(), "unknown-format", STRICT)
    refused(hostile.webp(), "unknown-format", STRICT)


def test_nothing() -> None:
    refused(b"", "empty")


def test_too_many_bytes() -> None:
    """Said before anything looks into them."""
    refused(hostile.jpeg(), "too-long", replace(LOCAL, max_bytes=1000))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a", "a GIF"),
        (b"BM\x00\x00", "a BMP"),
        (b"\0\0\0\x20ftypheic", "a HEIC photo"),
        (b"II*\0", "a TIFF"),
        (b"%PDF-1.7", "a PDF"),
        (b"<svg xmlns=", "an SVG"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"milk, sugar, cream\n", "no picture"),
        (b"\xff\xd8", "no picture"),
    ],
)
def test_other_files_are_called_by_their_name(data: bytes, name: str) -> None:
    assert name in refused(data, "unknown-format")


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    """200 random bytes are no picture, and no surprise either."""
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x64\0\0\0WEBP"):
        with pytest.raises(RefusedPicture):
            check_picture(start + data, LOCAL)


def test_what_the_public_api_lets_in_is_what_the_decoder_takes() -> None:
    """No client uploads megabytes to be told that they are too many."""
    (setting,) = (one for one in fields(PublicApiConfig) if one.name == "picture_max_bytes")
    assert setting.default == setting.metadata["high"] == STRICT.max_bytes
