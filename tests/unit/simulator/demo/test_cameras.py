import asyncio
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from simulator.bank import CharacterBank
from simulator.demo.cameras import SimulatedCamera, render_visit, run_cameras
from simulator.demo.live_state import RegisterInfo
from simulator.demo.pictures import Pictures
from simulator.frame_ring_writer import FrameRingWriter
from simulator.scene import FRAME_HEIGHT, FRAME_WIDTH
from simulator.shop_simulator import Visit
from wire_protocol.frame_ring import read_newest


def test_the_customer_is_seen_only_while_present(
    bank: CharacterBank, info: RegisterInfo, visit: Visit
) -> None:
    visit = replace(visit, customer=bank.customers[0])
    before = render_visit(bank, info.shop, visit, visit.arrives_s - 0.01)
    during = render_visit(bank, info.shop, visit, visit.orders_s)
    after = render_visit(bank, info.shop, visit, visit.leaves_s)
    assert np.abs(during.astype(int) - before).mean() > 5
    assert np.abs(after.astype(int) - before).mean() < 5


def test_a_customer_moves_between_frames(bank: CharacterBank, info: RegisterInfo, visit: Visit) -> None:
    visit = replace(visit, customer=bank.customers[0])
    frames = [render_visit(bank, info.shop, visit, visit.orders_s + step) for step in (0.0, 0.4)]
    assert not np.array_equal(frames[0], frames[1])


def test_before_the_first_visit_the_counter_is_empty(bank: CharacterBank, info: RegisterInfo) -> None:
    assert render_visit(bank, info.shop, None, 0.0).shape == (FRAME_HEIGHT, FRAME_WIDTH, 3)


async def test_cameras_shoot_in_turn_and_encode_for_viewers_only(
    bank: CharacterBank, info: RegisterInfo, tmp_path: Path
) -> None:
    till = SimpleNamespace(info=info, visit=None)
    stopping = asyncio.Event()
    pictures = Pictures([info.id])
    with FrameRingWriter(tmp_path / "ring", FRAME_WIDTH, FRAME_HEIGHT) as ring:
        camera = SimulatedCamera(till, ring, bank)
        task = asyncio.create_task(run_cameras([camera], pictures, time.monotonic, stopping))
        async with asyncio.timeout(30):
            while read_newest(memoryview(ring.path.read_bytes()))[0] < 3:  # noqa: ASYNC110 - a mapped file
                await asyncio.sleep(0.02)
            assert not pictures.wanted
            assert len(await anext(pictures.stream())) > 1000
        stopping.set()
        await task
