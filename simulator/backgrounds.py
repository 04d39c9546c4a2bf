"""The view behind a customer: what a shop's camera sees when nobody stands there."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.chains import Shop

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

VIEWS_PER_SHOP = 6
# A view is this much larger than the frame, so that a camera may hang a little differently.
MARGIN = 0.15

# Typical walls by shop kind as BGR: sand and sea, leaves, concrete, bright stone.
_WALLS: dict[str, tuple[Colour, ...]] = {
    "beach": ((214, 196, 150), (190, 212, 228), (230, 214, 178)),
    "park": ((160, 196, 168), (176, 188, 150), (200, 214, 196)),
    "station": ((150, 150, 148), (128, 134, 142), (172, 164, 156)),
    "mall": ((214, 216, 222), (196, 190, 206), (222, 222, 214)),
}


@functools.lru_cache(maxsize=64)
def background(shop: Shop, view: int, width: int, height: int) -> Image:
    """Return one of a shop's views, BGR, larger than width x height by `MARGIN`; treat it as read-only."""
    rng = np.random.default_rng((shop.background_seed, view))
    wide, high = round(width * (1 + MARGIN)), round(height * (1 + MARGIN))
    wall = np.array(_WALLS[shop.kind][int(rng.integers(0, 3))]) + rng.integers(-22, 23, 3)
    fade = np.linspace(1.08, 0.86, high)[:, None, None]
    image = np.clip(np.broadcast_to(wall, (high, wide, 3)) * fade, 0, 255).astype(np.uint8)
    horizon = int(high * rng.uniform(0.62, 0.8))
    floor = tuple(int(v) for v in np.clip(wall * rng.uniform(0.45, 0.75), 0, 255))
    cv2.rectangle(image, (0, horizon), (wide, high), floor, -1)
    for draw in rng.permutation(np.array([_window, _shelf, _poster, _poster, _plant, _people])):
        if rng.random() < 0.7:
            draw(image, rng, horizon)
    sigma = rng.uniform(2.0, 5.0) * width / 640
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)
    blurred.setflags(write=False)
    return blurred


def _colour(rng: np.random.Generator, low: int = 30, high: int = 235) -> Colour:
    blue, green, red = (int(v) for v in rng.integers(low, high, 3))
    return blue, green, red


def _window(image: Image, rng: np.random.Generator, horizon: int) -> None:
    high, wide = image.shape[:2]
    left, top = int(rng.integers(0, wide * 2 // 3)), int(rng.integers(0, high // 6))
    right, bottom = left + int(rng.integers(wide // 5, wide // 2)), horizon - int(rng.integers(0, high // 4))
    cv2.rectangle(image, (left, top), (right, bottom), (250, 240, int(rng.integers(190, 240))), -1)
    for position in np.linspace(left, right, 4):
        cv2.line(image, (int(position), top), (int(position), bottom), _colour(rng, 60, 140), 6)


def _shelf(image: Image, rng: np.random.Generator, horizon: int) -> None:
    high, wide = image.shape[:2]
    left = int(rng.integers(0, wide // 2))
    right = left + int(rng.integers(wide // 4, wide // 2))
    for row in range(int(rng.integers(1, 4))):
        level = int(high * (0.15 + 0.18 * row))
        if level > horizon:
            break
        cv2.rectangle(image, (left, level), (right, level + 9), (60, 80, 110), -1)
        for spot in range(left, right - 20, 34):
            tall = int(rng.integers(18, 52))
            cv2.rectangle(image, (spot, level - tall), (spot + 22, level), _colour(rng), -1)


def _poster(image: Image, rng: np.random.Generator, horizon: int) -> None:
    wide = image.shape[1]
    left, top = int(rng.integers(0, wide - 120)), int(rng.integers(10, max(20, horizon - 160)))
    size = int(rng.integers(70, 150))
    cv2.rectangle(image, (left, top), (left + size, top + size * 4 // 3), _colour(rng, 120, 250), -1)
    cv2.circle(image, (left + size // 2, top + size // 2), size // 4, _colour(rng), -1)
    cv2.line(image, (left + 10, top + size), (left + size - 10, top + size), _colour(rng), 8)


def _plant(image: Image, rng: np.random.Generator, horizon: int) -> None:
    left = int(rng.integers(0, image.shape[1]))
    for _ in range(14):
        tip = (left + int(rng.integers(-70, 70)), horizon - int(rng.integers(60, 190)))
        cv2.line(image, (left, horizon), tip, (int(rng.integers(30, 80)), int(rng.integers(90, 160)), 50), 10)
    cv2.rectangle(image, (left - 30, horizon - 10), (left + 30, horizon + 60), (70, 90, 150), -1)


def _people(image: Image, rng: np.random.Generator, horizon: int) -> None:
    """Paint far passers-by as blurs of colour: no customer, and `nobody` must not mistake them for one."""
    for _ in range(int(rng.integers(1, 4))):
        x, tall = int(rng.integers(0, image.shape[1])), int(rng.integers(60, 110))
        cv2.ellipse(image, (x, horizon), (tall // 4, tall // 2), 0, 0, 360, _colour(rng), -1)
        cv2.circle(image, (x, horizon - tall // 2 - 8), tall // 6, _colour(rng, 60, 200), -1)
