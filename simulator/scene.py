"""A scene at a register, and the camera frame of it at a moment.

Where everything stands, what covers it and what the camera does comes from the scene's seed alone, in
a fixed order: two scenes that differ in the customer differ in the customer's pixels and in nothing else.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.backgrounds import MARGIN, VIEWS_PER_SHOP, background
from simulator.bank import CharacterBank
from simulator.camera_effects import CameraEffects, apply_effects, draw_effects
from simulator.chains import Shop
from simulator.customers import Customer

Image = NDArray[np.uint8]

FRAME_WIDTH, FRAME_HEIGHT = 640, 480

OCCLUSION_SHARE = 0.10
PASSER_BY_SHARE = 0.25

# Lengths below are shares of the frame's height, so that any frame size shows the same scene.
_CUSTOMER_TALL = (0.98, 1.14)
_COMPANION_TALL = {"child": (0.60, 0.68), "adult": (0.86, 0.98)}


@dataclass(frozen=True, slots=True)
class Scene:
    """Who stands at a shop's register: a customer with their company, or nobody."""

    shop: Shop
    customer: Customer | None


@dataclass(frozen=True, slots=True)
class _Pose:
    """Where a figure stands: centre and foot, and height, in frame heights; tilt in degrees."""

    x: float
    foot: float
    tall: float
    tilt: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class _Take:
    """Everything about one scene's frames that does not depend on who the customer is."""

    view: int
    pan: tuple[float, float]
    customer: _Pose
    child: _Pose
    adult: _Pose
    passer_by: _Pose | None
    cast: int
    sway: tuple[float, float, float]
    occlusion: tuple[str, float, float] | None
    effects: CameraEffects


@functools.lru_cache(maxsize=256)
def _take(seed: int) -> _Take:
    rng = np.random.default_rng(seed)
    view, cast = int(rng.integers(0, VIEWS_PER_SHOP)), int(rng.integers(0, 2**16))
    pan_x, pan_y = rng.random(2)
    side = 1.0 if rng.random() < 0.5 else -1.0
    aspect = FRAME_WIDTH / FRAME_HEIGHT
    customer = _Pose(
        x=aspect / 2 - side * 0.07 + float(rng.normal(0.0, 0.05)),
        foot=float(rng.uniform(1.02, 1.13)),
        tall=float(rng.uniform(*_CUSTOMER_TALL)),
        tilt=float(rng.normal(0.0, 2.5)),
        mirrored=bool(rng.random() < 0.5),
    )
    beside = customer.x + side * float(rng.uniform(0.50, 0.60))
    child = _Pose(
        beside, float(rng.uniform(1.0, 1.08)), float(rng.uniform(*_COMPANION_TALL["child"])), 0.0, side > 0
    )
    adult = _Pose(
        beside, float(rng.uniform(1.0, 1.06)), float(rng.uniform(*_COMPANION_TALL["adult"])), 0.0, side > 0
    )
    behind = _Pose(
        x=customer.x - side * float(rng.uniform(0.35, 0.60)),
        foot=float(rng.uniform(1.04, 1.20)),
        tall=float(rng.uniform(0.80, 1.00)),
        tilt=0.0,
        mirrored=bool(rng.random() < 0.5),
    )
    passes = rng.random() < PASSER_BY_SHARE
    sway = (
        float(rng.uniform(0.15, 0.45)),
        float(rng.uniform(0.0, 2 * np.pi)),
        float(rng.uniform(0.004, 0.016)),
    )
    covers = rng.random() < OCCLUSION_SHARE
    cover = (("till", "hand", "shelf")[int(rng.integers(0, 3))], float(rng.random()), float(rng.random()))
    return _Take(
        view=view,
        pan=(float(pan_x), float(pan_y)),
        customer=customer,
        child=child,
        adult=adult,
        passer_by=behind if passes else None,
        cast=cast,
        sway=sway,
        occlusion=cover if covers else None,
        effects=draw_effects(rng),
    )


def render_frame(
    scene: Scene,
    bank: CharacterBank,
    *,
    seed: int,
    t: float = 0.0,
    width: int = FRAME_WIDTH,
    height: int = FRAME_HEIGHT,
) -> Image:
    """Return the camera's frame [height, width, 3] BGR of a scene, `t` seconds after it began.

    The same scene, seed and t give the same bytes. Between two t of one seed only the figures sway and
    the sensor's noise differs.
    """
    take = _take(seed)
    view = background(scene.shop, take.view, width, height)
    left, top = (int(pan * MARGIN * side) for pan, side in zip(take.pan, (width, height), strict=True))
    frame: Image = view[top : top + height, left : left + width].copy()
    if take.passer_by is not None:
        _place(frame, _blurred(bank, take.cast), take.passer_by)
    if scene.customer is not None:
        company = scene.customer.visible.company
        if company == "adult":
            _place(frame, bank.companion("adult", take.cast // 11), _swayed(take.adult, take, t, 1.3))
        _place(frame, bank.picture(scene.customer), _swayed(take.customer, take, t, 0.0))
        if company == "child":
            _place(frame, bank.companion("child", take.cast // 11), _swayed(take.child, take, t, 2.1))
    if take.occlusion is not None:
        _occlude(frame, *take.occlusion)
    apply_effects(frame, take.effects, seed * 7919 + round(t * 1000))
    return frame


def _swayed(pose: _Pose, take: _Take, t: float, lag: float) -> _Pose:
    hertz, phase, reach = take.sway
    swing = np.sin(2 * np.pi * hertz * t + phase + lag)
    breath = np.sin(2 * np.pi * 0.27 * t + 2 * phase + lag)
    return _Pose(
        x=pose.x + float(reach * swing),
        foot=pose.foot + float(0.004 * breath),
        tall=pose.tall,
        tilt=pose.tilt + float(60.0 * reach * swing),
        mirrored=pose.mirrored,
    )


def _blurred(bank: CharacterBank, cast: int) -> Image:
    """Return a passer-by out of focus; drawn-out below, as they are seen down to the floor."""
    picture = bank.companion("adult", cast // 191)
    small = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
    longer = cv2.copyMakeBorder(small, 0, small.shape[0], 0, 0, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(longer, (11, 11)), dtype=np.uint8)


def _place(frame: Image, picture: Image, pose: _Pose) -> None:
    """Draw a premultiplied BGRA picture into the frame, in place."""
    frame_height, frame_width = frame.shape[:2]
    tall, wide = picture.shape[:2]
    scale = pose.tall * frame_height / tall
    angle = np.deg2rad(pose.tilt)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    flip = -1.0 if pose.mirrored else 1.0
    foot_x, foot_y = pose.x * frame_height, pose.foot * frame_height
    matrix = np.array(
        [
            [flip * cosine, -sine, foot_x - flip * cosine * wide / 2 + sine * tall],
            [flip * sine, cosine, foot_y - flip * sine * wide / 2 - cosine * tall],
        ]
    )
    corners = matrix @ np.array([[0, wide, 0, wide], [0, 0, tall, tall], [1, 1, 1, 1]])
    x0, y0 = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=1)).astype(int), (frame_width, frame_height))
    if x0 >= x1 or y0 >= y1:
        return
    matrix[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    region = frame[y0:y1, x0:x1]
    remaining = cv2.bitwise_not(cv2.cvtColor(cv2.extractChannel(warped, 3), cv2.COLOR_GRAY2BGR))
    behind = cv2.multiply(region, remaining, scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR), dst=region)


def _occlude(frame: Image, kind: str, where: float, amount: float) -> None:
    """Cover a part of the frame with a till's edge, a hand or a shelf, in place."""
    height, width = frame.shape[:2]
    if kind == "till":
        top = int(height * (0.90 - 0.14 * amount))
        left = int(width * (0.45 * where))
        corners = np.array(
            [[left, height], [left + 12, top], [left + width // 2, top + 8], [left + width // 2, height]]
        )
        cv2.fillConvexPoly(frame, corners, (38, 34, 32))
        cv2.polylines(frame, [corners], isClosed=True, color=(90, 86, 80), thickness=3)
    elif kind == "hand":
        _draw_hand(frame, width * (0.15 + 0.7 * where), height * (0.98 - 0.1 * amount))
    else:
        edge = int(width * (0.04 + 0.10 * amount))
        left = 0 if where < 0.5 else width - edge
        cv2.rectangle(frame, (left, 0), (left + edge, height), (70, 96, 128), -1)


def _draw_hand(frame: Image, x: float, y: float) -> None:
    unit = frame.shape[0] / 100
    skin = (108, 142, 196)
    cv2.ellipse(frame, (int(x), int(y + 6 * unit)), (int(9 * unit), int(16 * unit)), 0, 0, 360, skin, -1)
    for finger, reach in ((-6.5, 13.0), (-2.2, 16.0), (2.2, 15.0), (6.5, 11.0), (12.0, 1.0)):
        tip = (int(x + 1.25 * finger * unit), int(y - reach * unit))
        cv2.line(frame, (int(x + finger * unit), int(y + 4 * unit)), tip, skin, int(4.2 * unit), cv2.LINE_AA)
