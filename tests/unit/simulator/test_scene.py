from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.attributes import NUISANCE_SHARES
from simulator.bank import CharacterBank
from simulator.chains import CHAINS
from simulator.customers import Customer
from simulator.scene import Scene, render_frame

SHOPS = CHAINS["gelateria-sole"].shops


def with_company(customer: Customer, company: str) -> Customer:
    return replace(customer, visible=replace(customer.visible, company=company))


def test_a_frame_is_640_by_480_bgr(bank: CharacterBank) -> None:
    frame = render_frame(Scene(SHOPS[0], bank.customers[0]), bank, seed=1)
    assert frame.shape == (480, 640, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous


def test_other_sizes_show_the_same_scene(bank: CharacterBank) -> None:
    """A 720p frame of a scene, made as small, resembles the VGA frame of it in its middle."""
    scene = Scene(SHOPS[1], with_company(bank.customers[1], "alone"))
    small = render_frame(scene, bank, seed=2)
    large = render_frame(scene, bank, seed=2, width=1280, height=960)
    assert large.shape == (960, 1280, 3)
    shrunk = cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA)
    middle = (slice(200, 440), slice(240, 400))
    assert np.abs(shrunk[middle].astype(int) - small[middle]).mean() < 12


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 10))
def test_the_same_scene_seed_and_time_give_the_same_bytes(bank: CharacterBank, seed: int, t: float) -> None:
    scene = Scene(SHOPS[seed % 4], bank.customers[seed % 8])
    first = render_frame(scene, bank, seed=seed, t=t)
    assert np.array_equal(first, render_frame(scene, bank, seed=seed, t=t))


def test_a_customer_moves_between_two_frames(bank: CharacterBank) -> None:
    """More changes than the noise, but it stays the same picture: a sway, not a jump."""
    scene = Scene(SHOPS[2], bank.customers[2])
    first, later = (render_frame(scene, bank, seed=4, t=t).astype(int) for t in (0.0, 0.7))
    changed = np.abs(first - later).max(axis=2) > 60
    assert 0.0005 < changed.mean() < 0.25


def test_another_seed_gives_another_frame(bank: CharacterBank) -> None:
    scene = Scene(SHOPS[0], bank.customers[3])
    assert not np.array_equal(render_frame(scene, bank, seed=1), render_frame(scene, bank, seed=2))


@pytest.mark.parametrize("name", NUISANCE_SHARES)
def test_a_nuisance_swap_changes_only_the_customers_pixels(bank: CharacterBank, name: str) -> None:
    """Pose, company, background, light and noise stay byte for byte; so the answer may not change."""
    customer = with_company(bank.customers[4], "alone")
    others = [level for level in NUISANCE_SHARES[name] if level != getattr(customer.nuisance, name)]
    swapped = replace(customer, nuisance=replace(customer.nuisance, **{name: others[-1]}))
    before, after, empty = (
        render_frame(Scene(SHOPS[1], who), bank, seed=7) for who in (customer, swapped, None)
    )
    here, there = (np.any(frame != empty, axis=2).astype(np.uint8) for frame in (before, after))
    allowed = cv2.dilate(here | there, np.ones((15, 15), np.uint8))
    changed = np.any(before != after, axis=2)
    assert changed.any()
    assert not np.any(changed & (allowed == 0))
    assert np.array_equal(before[:, :40], after[:, :40]) or here[:, :40].any()


def test_company_stands_beside_the_customer(bank: CharacterBank) -> None:
    frames = [
        render_frame(Scene(SHOPS[3], with_company(bank.customers[5], company)), bank, seed=8)
        for company in ("alone", "child", "adult")
    ]
    for company in frames[1:]:
        changed = np.abs(company.astype(int) - frames[0]).max(axis=2) > 30
        assert 0.03 < changed.mean() < 0.5


def test_nobody_leaves_the_shop_as_it_is(bank: CharacterBank) -> None:
    """A customer fills the picture's middle; without one the shop's wall shows there."""
    present = render_frame(Scene(SHOPS[0], bank.customers[6]), bank, seed=9)
    empty = render_frame(Scene(SHOPS[0], None), bank, seed=9)
    changed = np.abs(present.astype(int) - empty).max(axis=2) > 20
    assert changed[160:, 260:380].mean() > 0.6
    assert changed.mean() > 0.15


def test_about_one_scene_in_ten_is_partly_covered() -> None:
    from simulator.scene import _take

    covered = sum(_take(seed).occlusion is not None for seed in range(1000))
    assert 70 <= covered <= 130
