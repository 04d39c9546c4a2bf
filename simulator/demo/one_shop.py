"""One simulated shop around an agent that somebody else started."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from simulator.bank import CharacterBank
from simulator.bayes import best_sellers
from simulator.chains import Chain, Shop
from simulator.demo.cameras import SimulatedCamera, run_cameras
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.demo.pictures import Pictures
from simulator.demo.stopping import signals_set, wait
from simulator.demo.till import Till
from simulator.frame_ring_writer import FrameRingWriter
from simulator.pos import PosClient
from simulator.scene import FRAME_HEIGHT, FRAME_WIDTH
from simulator.shop_simulator import ShopSimulator

AGENT_SEES_RING_AFTER_S = 3.0
"""An agent that waits for its camera looks again every now and then; customers come after that."""


@dataclass(frozen=True, slots=True)
class OneShop:
    """Which shop, and which agent."""

    chain: Chain
    shop: Shop
    url: str
    token: str
    ring: Path
    seed: int
    seconds: float | None


async def serve_one_shop(options: OneShop, bank: CharacterBank) -> LiveState:
    """Serve customers until the time is over, SIGINT or SIGTERM; returns what happened."""
    chain, shop = options.chain, options.shop
    info = RegisterInfo(f"{chain.tenant}/{shop.id}", chain, shop, best_sellers(chain.taste), options.url)
    live = LiveState.of([info])
    started_s = time.monotonic()

    def clock_s() -> float:
        return time.monotonic() - started_s

    stopping = asyncio.Event()
    with signals_set(stopping), FrameRingWriter(options.ring, FRAME_WIDTH, FRAME_HEIGHT) as ring:
        async with PosClient(options.url, options.token) as pos, asyncio.TaskGroup() as group:
            simulator = ShopSimulator(chain, shop, options.seed, draw=bank.draw)
            till = Till(info=info, alive=lambda: True, shop=simulator, pos=pos, live=live, clock_s=clock_s)
            camera = SimulatedCamera(till, ring, bank)
            group.create_task(run_cameras([camera], Pictures([info.id]), clock_s, stopping), name="camera")
            await wait(stopping, AGENT_SEES_RING_AFTER_S)
            group.create_task(till.serve(stopping), name="till")
            await wait(stopping, options.seconds)
            stopping.set()
    return live
