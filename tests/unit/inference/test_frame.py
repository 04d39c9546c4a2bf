"""Fitting a picture: what training did is what the till does."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.errors import FrameError
from inference.frame import fit_frame

Pixels = NDArray[np.uint8]


def noise(*shape: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@given(seed=st.integers(0, 2**32), size=st.sampled_from([96, 128, 160, 192, 224]))
@settings(max_examples=25, deadline=None)
def test_a_camera_frame_is_one_plain_resize(seed: int, size: int) -> None:
    """640x480 gets exactly what `cv2.resize` linear gives, at any size of network."""
    frame = noise(480, 640, 3, seed=seed)
    assert np.array_equal(
        fit_frame(frame, size), cv2.resize(frame, (size, size), interpolation=cv2.INTER_LINEAR)
    )


@given(rows=st.integers(1, 80), width=st.integers(1, 400), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_handing_over_only_the_sampled_rows_changes_nothing(rows: int, width: int, seed: int) -> None:
    """At a vertical ratio of exactly three, linear sampling is the middle row of three."""
    frame = noise(3 * rows, width, 3, seed=seed)
    plain = cv2.resize(frame, (rows, rows), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(cv2.resize(frame[1::3], (rows, rows), interpolation=cv2.INTER_LINEAR), plain)


@given(height=st.integers(1, 700), width=st.integers(1, 700), channels=st.sampled_from([0, 1, 3, 4]))
@settings(max_examples=60, deadline=None)
def test_any_size_and_aspect_fits(height: int, width: int, channels: int) -> None:
    """1x1, lines, portraits, panoramas, grey and BGRA: always uint8 [size, size, 3]."""
    shape = (height, width, channels) if channels else (height, width)
    square = fit_frame(np.full(shape, 77, np.uint8), 64)
    assert square.shape == (64, 64, 3)
    assert square.dtype == np.uint8
    assert (square == 77).all()


def test_a_wide_picture_keeps_its_centre() -> None:
    frame = np.zeros((300, 1000, 3), np.uint8)
    frame[:, 300:700] = 255
    assert (fit_frame(frame, 64) == 255).all()


def test_a_tall_picture_keeps_its_upper_part() -> None:
    """That is where a portrait's head is."""
    frame = np.zeros((1000, 300, 3), np.uint8)
    frame[:225] = 255
    assert (fit_frame(frame, 64) == 255).all()


def test_a_large_picture_is_halved_first_so_that_nothing_flickers() -> None:
    """A fine pattern becomes its mean, where linear sampling alone would pick single pixels of it."""
    frame = np.zeros((1920, 2560, 3), np.uint8)
    frame[:, ::4] = 200
    assert (fit_frame(frame, 160) == 50).all()
    assert (cv2.resize(frame, (160, 160), interpolation=cv2.INTER_LINEAR) == 100).all()


def test_halving_stops_above_a_cameras_height() -> None:
    """959 rows are resized as they are, 960 are halved to 480."""
    high = noise(960, 1280, 3)
    half = cv2.resize(high, (640, 480), interpolation=cv2.INTER_AREA)
    assert np.array_equal(fit_frame(high, 160), cv2.resize(half, (160, 160), interpolation=cv2.INTER_LINEAR))
    low = noise(957, 1276, 3)
    assert np.array_equal(fit_frame(low, 160), cv2.resize(low, (160, 160), interpolation=cv2.INTER_LINEAR))


def test_odd_sides_are_trimmed_before_halving() -> None:
    frame = noise(963, 1285, 3)
    cropped = frame[:, :1284]
    half = cv2.resize(cropped[:962], (642, 481), interpolation=cv2.INTER_AREA)
    assert np.array_equal(fit_frame(frame, 160), cv2.resize(half, (160, 160), interpolation=cv2.INTER_LINEAR))


def test_grey_and_bgra_are_converted() -> None:
    """Alpha is dropped; grey becomes three equal channels."""
    colour = noise(480, 640, 3)
    with_alpha = np.dstack([colour, noise(480, 640)])
    assert np.array_equal(fit_frame(with_alpha, 160), fit_frame(colour, 160))
    grey = noise(480, 640)
    assert np.array_equal(fit_frame(grey, 160), fit_frame(np.dstack([grey] * 3), 160))
    assert np.array_equal(fit_frame(grey[:, :, None], 160), fit_frame(grey, 160))


def test_views_are_taken_as_they_look() -> None:
    """A mirrored or cropped view is no contiguous array, but a picture all the same."""
    frame = noise(500, 700, 3)
    for view in (frame[:, ::-1], frame[10:490, 20:660], frame[::-1, :, ::-1]):
        assert np.array_equal(fit_frame(view, 160), fit_frame(np.ascontiguousarray(view), 160))


def test_the_result_is_written_where_it_was_asked_for() -> None:
    """The network's input is bound to that very memory."""
    out = np.zeros((160, 160, 3), np.uint8)
    for frame in (noise(480, 640, 3), noise(300, 200, 3), noise(480, 640), noise(160, 160, 3)):
        fit_frame(frame, 160, out)
        assert np.array_equal(out, fit_frame(frame, 160))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((480, 640, 3), np.float32),
        np.zeros((480, 640, 3), np.uint16),
        np.zeros((480, 640, 2), np.uint8),
        np.zeros((1, 480, 640, 3), np.uint8),
        np.zeros(640, np.uint8),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros((480, 0, 3), np.uint8),
        np.zeros((), np.uint8),
        [[0, 0, 0]],
        None,
    ],
    ids=repr,
)
def test_what_is_no_picture_is_refused(frame: Any) -> None:
    with pytest.raises(FrameError) as caught:
        fit_frame(frame, 160)
    assert caught.value.remedy
