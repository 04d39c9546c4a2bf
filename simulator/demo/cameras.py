"""The cameras of all registers: renders what stands there now into each agent's frame ring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.bank import CharacterBank
from simulator.chains import Shop
from simulator.demo.pictures import PER_SECOND, Pictures, encode_picture
from simulator.demo.till import Till
from simulator.frame_ring_writer import FrameRingWriter
from simulator.scene import Image, Scene, render_frame
from simulator.shop_simulator import Visit

FRAMES_PER_SECOND = 8.0
"""Enough that an order never sees a picture older than 125 ms, and a quarter of one core for six cameras."""


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """One register's camera."""

    till: Till
    ring: FrameRingWriter
    bank: CharacterBank

    def shoot(self, now_s: float, *, encode: bool) -> bytes | None:
        """Render one frame into the ring; return it as JPEG where somebody wants to look."""
        frame = render_visit(self.bank, self.till.info.shop, self.till.visit, now_s)
        self.ring.write(frame, time.monotonic_ns())
        return encode_picture(frame) if encode else None


def render_visit(bank: CharacterBank, shop: Shop, visit: Visit | None, now_s: float) -> Image:
    """The camera's picture at this moment: the customer while present, the empty counter otherwise."""
    if visit is None:
        return render_frame(Scene(shop, None), bank, seed=shop.background_seed, t=now_s)
    customer = visit.customer if visit.is_present(now_s) else None
    return render_frame(Scene(shop, customer), bank, seed=visit.seed, t=now_s)


async def run_cameras(
    cameras: Sequence[SimulatedCamera],
    pictures: Pictures,
    clock_s: Callable[[], float],
    stopping: asyncio.Event,
) -> None:
    """Shoot with each camera in turn, evenly spread over time, until `stopping`.

    Rendering runs in a thread, one picture at a time: the tills' requests are measured beside it.
    """
    step_s = 1.0 / FRAMES_PER_SECOND / len(cameras)
    every = max(1, round(FRAMES_PER_SECOND / PER_SECOND))
    due_s = clock_s()
    turn = 0
    while not stopping.is_set():
        camera = cameras[turn % len(cameras)]
        encode = pictures.wanted and turn // len(cameras) % every == 0
        jpeg = await asyncio.to_thread(camera.shoot, clock_s(), encode=encode)
        if jpeg is not None:
            pictures.put(camera.till.info.id, jpeg)
        turn += 1
        # A machine that is too slow shoots less often instead of falling ever further behind.
        due_s = max(due_s + step_s, clock_s() - step_s)
        await asyncio.sleep(max(0.0, due_s - clock_s()))
