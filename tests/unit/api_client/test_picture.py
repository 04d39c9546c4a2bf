"""What leaves the machine is small and has nothing but pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from api_client.picture import LONGEST_SIDE, MOST_BYTES, PicturePress, small_jpeg
from inference.errors import PictureFileError, RefusedPicture
from inference.picture import STRICT, check_jpeg
from tests.builders import hostile_pictures as hostile


@pytest.fixture(scope="module")
def press() -> Iterator[PicturePress]:
    with PicturePress() as made:
        yield made


def _size(data: bytes) -> tuple[int, int]:
    height, width = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    return width, height


def test_the_worst_picture_fits() -> None:
    """12 megapixels of noise: at most 140,000 bytes, below the 150 KB of the goal, and the API takes it."""
    noise = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), np.uint8)
    small = small_jpeg(noise)
    assert len(small) <= MOST_BYTES
    assert max(_size(small)) <= LONGEST_SIDE
    assert check_jpeg(small, STRICT).format == "jpeg"


def test_a_photo_is_turned_upright_and_loses_its_metadata(press: PicturePress) -> None:
    """The orientation of the EXIF is in the pixels; the EXIF is gone."""
    photo = hostile.jpeg_with_orientation(6, hostile.photo(1280, 960))
    assert b"Exif" in photo
    small = press.press(photo)
    assert _size(small) == (480, 640)
    assert b"Exif" not in small


def test_a_small_picture_stays_as_small(press: PicturePress, tmp_path: Path) -> None:
    """Nothing is blown up; PNG and WebP become JPEG; a file is as good as its bytes."""
    path = tmp_path / "photo.png"
    path.write_bytes(hostile.png(hostile.photo(320, 240)))
    assert _size(press.press(path)) == (320, 240)
    assert press.press(hostile.webp(hostile.photo(320, 240))).startswith(b"\xff\xd8")


def test_what_is_no_picture_is_refused_here(press: PicturePress, tmp_path: Path) -> None:
    """T11: in a confined process, with the file's name and a remedy."""
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff not a picture")
    with pytest.raises(RefusedPicture, match=r"bad\.jpg"):
        press.press(bad)
    with pytest.raises(RefusedPicture):
        press.press(b"GIF89a")
    with pytest.raises(PictureFileError):
        press.press(tmp_path / "none.jpg")
