"""Pictures in the strict profile."""

import numpy as np
import pytest

from inference.jpeg import PictureTooLargeError, encode
from inference.picture import STRICT
from inference.picture.check import check_picture
from wire_protocol.limits import PICTURE_MAX_BYTES


def noise(height: int, width: int) -> np.ndarray:
    """The hardest picture there is to compress."""
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (3000, 400), (64, 64), (17, 900)])
def test_every_picture_fits_in_the_profile_for_pictures_from_a_network_t11(size: tuple[int, int]) -> None:
    """T11: baseline, three components, no metadata, within 96 KB and the configured height."""
    pixels = noise(*size)
    before = pixels.copy()
    picture = encode(pixels, max_height=480)
    data = picture.jpeg.tobytes()
    assert len(data) <= PICTURE_MAX_BYTES
    assert (check_picture(data, STRICT).width, check_picture(data, STRICT).height) == (
        picture.width,
        picture.height,
    )
    assert picture.height <= 480
    assert b"Exif" not in data
    assert np.array_equal(pixels, before), "the caller's picture was changed"


def test_a_small_picture_keeps_its_size_and_quality() -> None:
    """Nothing is reduced without need."""
    picture = encode(np.full((120, 160, 3), 90, np.uint8), max_height=480)
    assert (picture.width, picture.height) == (160, 120)


def test_what_can_never_fit_is_an_error_and_no_loop() -> None:
    """A bound below any JPEG's header."""
    with pytest.raises(PictureTooLargeError):
        encode(noise(64, 64), max_height=480, max_bytes=100)
