"""The demo page with paper agents behind it: everything but the agents' processes is real."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from simulator.bank import CharacterBank
from simulator.bayes import best_sellers
from simulator.chains import CHAINS
from simulator.demo.backend.release_story import ReleaseStory
from simulator.demo.backend.story import Story
from simulator.demo.cameras import SimulatedCamera, run_cameras
from simulator.demo.feed import Feed
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.demo.page import HOST, bind_page, build_app, page_server
from simulator.demo.phones.story import PhoneStory
from simulator.demo.pictures import Pictures
from simulator.demo.till import Till
from simulator.frame_ring_writer import FrameRingWriter
from simulator.pos import PosClient
from simulator.scene import FRAME_HEIGHT, FRAME_WIDTH
from simulator.shop_simulator import ShopSimulator
from tests.builders.paper_agent import PaperAgent


class DemoPage:
    """A running page; `close_register` lets one agent end, `end` ends the demo as Ctrl-C does."""

    def __init__(
        self, url: str, live: LiveState, stopping: asyncio.Event, story: Story | None = None
    ) -> None:
        self.url = url
        self.live = live
        self.story = story
        self._loop = asyncio.get_running_loop()
        self._stopping = stopping

    def close_register(self, register: str) -> None:
        problem = f"the agent of {register} was killed by SIGKILL"
        self._loop.call_soon_threadsafe(self.live.closed, register, problem)

    def tell(self, change: Callable[[Story], None]) -> None:
        """Change the story of the cloud, on its own loop."""
        assert self.story is not None, "this page has no cloud"
        self._loop.call_soon_threadsafe(change, self.story)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)


def _releases(infos: list[RegisterInfo]) -> ReleaseStory:
    chain = infos[0].chain
    shops = {f"{info.shop.id}-1": info.shop_name for info in infos if info.chain is chain}
    return ReleaseStory(chain.tenant, chain.name, shops, "http://localhost:9")


@contextmanager
def running_demo_page(folder: Path, bank: CharacterBank, *, cloud: bool = False) -> Iterator[DemoPage]:
    """Serve the page from a thread of its own; with a cloud, its story is told by the test."""
    started = threading.Event()
    box: list[DemoPage] = []

    def run() -> None:
        asyncio.run(_serve(folder, bank, box, started, cloud=cloud))

    thread = threading.Thread(target=run, name="demo page")
    thread.start()
    assert started.wait(90), "the page did not start"
    try:
        yield box[0]
    finally:
        box[0].end()
        thread.join(60)
        assert not thread.is_alive(), "the page did not end"


async def _serve(
    folder: Path, bank: CharacterBank, box: list[DemoPage], started: threading.Event, *, cloud: bool
) -> None:
    infos = [
        RegisterInfo(
            f"{chain.tenant}/{shop.id}", chain, shop, best_sellers(chain.taste), "http://127.0.0.1:9"
        )
        for chain in CHAINS.values()
        for shop in chain.shops[:3]
    ]
    live = LiveState.of(infos)
    begin_s = time.monotonic()

    def clock_s() -> float:
        return time.monotonic() - begin_s

    pages = PhoneStory({info.chain.name: f"http://{info.chain.tenant}.localhost:9/try" for info in infos})
    story = Story({f"{info.id}-1": info for info in infos}, _releases(infos), pages) if cloud else None
    pictures, feed = Pictures([info.id for info in infos]), Feed(live, clock_s, story)
    stopping = asyncio.Event()

    def plug(register: str, plugged: bool) -> bool:  # noqa: FBT001 - what a button says
        if story is None or register not in story.lines:
            return False
        story.plug(register, plugged=plugged)
        return True

    server = page_server(build_app(feed, pictures, plug))
    async with AsyncExitStack() as stack:
        cameras = []
        for info in infos:
            ring = stack.enter_context(
                FrameRingWriter(folder / info.id.replace("/", "-"), FRAME_WIDTH, FRAME_HEIGHT)
            )
            paper = PaperAgent(info.chain, blanks=10_000 if cloud else None)
            pos = PosClient("http://till.test", "paper", exchange=paper)
            till = Till(
                info=info,
                alive=lambda: True,
                shop=ShopSimulator(info.chain, info.shop, 1, draw=bank.draw),
                pos=await stack.enter_async_context(pos),
                live=live,
                clock_s=clock_s,
            )
            cameras.append(SimulatedCamera(till, ring, bank))
        listening = bind_page(0)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listening]))
            group.create_task(feed.run(stopping))
            group.create_task(run_cameras(cameras, pictures, clock_s, stopping))
            for camera in cameras:
                group.create_task(camera.till.serve(stopping))
            box.append(DemoPage(f"http://{HOST}:{listening.getsockname()[1]}/", live, stopping, story))
            started.set()
            await stopping.wait()
            feed.close()
            pictures.close()
            server.should_exit = True
