from dataclasses import replace

import numpy as np
import pytest

from simulator.camera_effects import CameraEffects, apply_effects, draw_effects

NONE = CameraEffects((1.0, 1.0, 1.0), 1.0, None, 1, 1, motion_upright=False, noise=0.0)


def picture() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.kron(rng.integers(40, 200, (12, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)


def taken(effects: CameraEffects, noise_seed: int = 5) -> np.ndarray:
    frame = picture()
    apply_effects(frame, effects, noise_seed)
    return frame


def test_a_perfect_camera_changes_nothing() -> None:
    assert np.array_equal(taken(NONE), picture())


@pytest.mark.parametrize(
    "change",
    [
        {"gain": (1.2, 1.0, 0.8)},
        {"gamma": 1.3},
        {"light": 2},
        {"blur_px": 5},
        {"motion_px": 7},
        {"motion_px": 7, "motion_upright": True},
        {"noise": 0.1},
    ],
    ids=str,
)
def test_each_effect_changes_the_picture_and_keeps_its_kind(change: dict[str, object]) -> None:
    frame = taken(replace(NONE, **change))  # type: ignore[arg-type]
    assert frame.dtype == np.uint8
    assert frame.shape == picture().shape
    assert not np.array_equal(frame, picture())


def test_noise_follows_its_seed() -> None:
    noisy = replace(NONE, noise=0.1)
    assert np.array_equal(taken(noisy, 5), taken(noisy, 5))
    assert not np.array_equal(taken(noisy, 5), taken(noisy, 6))


def test_drawn_effects_stay_moderate() -> None:
    """However the dice fall, a mid grey stays between a dark and a light grey."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        frame = np.full((60, 80, 3), 128, np.uint8)
        apply_effects(frame, draw_effects(rng), 3)
        assert 50 < frame.mean() < 230


def test_the_same_seed_draws_the_same_effects() -> None:
    assert draw_effects(np.random.default_rng(9)) == draw_effects(np.random.default_rng(9))
