"""What a cheap camera does to a picture: light, colour, blur, noise. All uint8, by look-up and addition.

Probabilities and ranges are those of `docs/world.md`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_NOISE_TILES = 4
_NOISE_MARGIN = 64
_LIGHTS = 12


@dataclass(frozen=True, slots=True)
class CameraEffects:
    """The effects of one shot.

    `gain` multiplies by channel (BGR); `blur_px` and `motion_px` are odd kernels at 640 px, 1 for none.
    """

    gain: tuple[float, float, float]
    gamma: float
    light: int | None
    blur_px: int
    motion_px: int
    motion_upright: bool
    noise: float


def draw_effects(rng: np.random.Generator) -> CameraEffects:
    """Draw the effects of one shot; every draw takes the same number of values from `rng`."""
    exposure = float(np.exp(rng.normal(0.0, 0.14)))
    warmth, tint = rng.normal(0.0, 0.05), rng.normal(0.0, 0.025)
    gamma = float(np.exp(rng.normal(0.0, 0.12)))
    light, lit = int(rng.integers(0, _LIGHTS)), rng.random() < 0.6
    focus, motion, upright, noise = rng.random(), rng.random(), rng.random(), rng.random()
    return CameraEffects(
        gain=(exposure * (1 - warmth), exposure * (1 + tint), exposure * (1 + warmth)),
        gamma=gamma,
        light=light if lit else None,
        blur_px=1 if focus < 0.5 else 3 if focus < 0.8 else 5 if focus < 0.95 else 7,
        motion_px=1 if motion < 0.85 else 7 if motion < 0.95 else 11,
        motion_upright=bool(upright < 0.3),
        noise=float(0.02 + 0.10 * noise),
    )


def apply_effects(frame: Image, effects: CameraEffects, noise_seed: int) -> None:
    """Turn the frame, in place, into what the camera delivers."""
    height, width = frame.shape[:2]
    if effects.blur_px > 1:
        side = _kernel(effects.blur_px, width)
        cv2.blur(frame, (side, side), dst=frame)
    if effects.motion_px > 1:
        side = _kernel(effects.motion_px, width)
        cv2.blur(frame, (1, side) if effects.motion_upright else (side, 1), dst=frame)
    if effects.light is not None:
        cv2.multiply(frame, _light(effects.light, width, height), dst=frame, scale=1 / 160)
    cv2.LUT(frame, _tone_table(effects.gain, effects.gamma), dst=frame)
    tile = _noise(noise_seed % _NOISE_TILES, width, height)
    x, y = noise_seed // 7 % _NOISE_MARGIN, noise_seed // 457 % _NOISE_MARGIN
    part = tile[y : y + height, x : x + width]
    cv2.addWeighted(frame, 1.0, part, effects.noise, -128.0 * effects.noise, dst=frame)


def _kernel(side_px: int, width: int) -> int:
    """Return the odd kernel that blurs a frame of this width as `side_px` blurs one of 640."""
    return 2 * round((side_px * width / 640 - 1) / 2) + 1 if width > 640 else side_px


def _tone_table(gain: tuple[float, float, float], gamma: float) -> Image:
    levels = np.linspace(0.0, 1.0, 256)[:, None] * np.array(gain)
    table: Image = (255.0 * np.clip(levels, 0.0, 1.0) ** gamma + 0.5).astype(np.uint8)
    return table.reshape(1, 256, 3)


@functools.lru_cache(maxsize=2 * _LIGHTS)
def _light(number: int, width: int, height: int) -> Image:
    """Return a smooth light across the picture, 160 for unchanged, for a window or lamp on one side."""
    rng = np.random.default_rng((4711, number))
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.40)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = np.tanh(1.2 * (x * np.cos(angle) + 0.6 * y * np.sin(angle)))
    one = np.clip(160.0 * (1.0 + depth * slope), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(one[:, :, None], 3, axis=2))


@functools.lru_cache(maxsize=2 * _NOISE_TILES)
def _noise(number: int, width: int, height: int) -> Image:
    """Return noise around 128, larger than the frame: half fine, half in soft grains, as sensors make."""
    rng = np.random.default_rng((815, number))
    shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN, 3)
    fine = rng.normal(0.0, 45.0, shape)
    grain = cv2.GaussianBlur(rng.normal(0.0, 110.0, shape), (0, 0), 1.0)
    return np.clip(128.0 + fine + grain, 0, 255).astype(np.uint8)
