"""The running demo: every task, and the order in which they end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from simulator.bank import CharacterBank
from simulator.demo.cameras import SimulatedCamera, run_cameras
from simulator.demo.feed import Feed
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.demo.page import HOST, build_app, page_server
from simulator.demo.pictures import Pictures
from simulator.demo.post import Post
from simulator.demo.stopping import wait
from simulator.demo.till import Till
from simulator.pos import PosClient
from simulator.shop_simulator import ShopSimulator


@dataclass(slots=True)
class Floor:
    """Shops that are open: `run` lets customers come until it is told to stop."""

    posts: Sequence[Post]
    infos: Sequence[RegisterInfo]
    bank: CharacterBank
    seed: int
    seconds: float | None
    check: bool
    """Whether the death of an agent ends everything, and the page is fetched once."""
    stopping: asyncio.Event
    say: Callable[[str], None]
    live: LiveState = field(init=False)
    _ready_s: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.live = LiveState.of(self.infos)

    async def run(self, listening: socket.socket, on_ready: Callable[[], None]) -> Mapping[str, float]:
        """Run until `stopping` or the end of time; returns each agent's resident memory in MB just before."""
        pictures = Pictures([info.id for info in self.infos])
        feed = Feed(self.live, self._clock_s)
        server = page_server(build_app(feed, pictures))
        async with contextlib.AsyncExitStack() as stack:
            tills = [await self._till(post, info, stack) for post, info in self._pairs()]
            cameras = [
                SimulatedCamera(till, post.ring, self.bank)
                for till, post in zip(tills, self.posts, strict=True)
            ]
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve(sockets=[listening]), name="page")
                group.create_task(feed.run(self.stopping), name="feed")
                group.create_task(
                    run_cameras(cameras, pictures, self._clock_s, self.stopping), name="cameras"
                )
                watchers = [
                    group.create_task(self._watch(post, info), name=f"watch {info.id}")
                    for post, info in self._pairs()
                ]
                serving = [
                    group.create_task(till.serve(self.stopping), name=f"till {till.info.id}")
                    for till in tills
                ]
                on_ready()
                if self.check:
                    await _fetch_page(listening)
                await wait(self.stopping, self.seconds)
                self.stopping.set()
                # An interaction that was opened is paid before anything ends.
                await asyncio.wait(serving)
                memory_mb = self._memory_mb()
                for watcher in watchers:
                    watcher.cancel()
                feed.close()
                pictures.close()
                server.should_exit = True
        return memory_mb

    def _pairs(self) -> list[tuple[Post, RegisterInfo]]:
        return list(zip(self.posts, self.infos, strict=True))

    async def _till(self, post: Post, info: RegisterInfo, stack: contextlib.AsyncExitStack) -> Till:
        return Till(
            info=info,
            alive=lambda: post.agent.alive,
            shop=ShopSimulator(post.chain, post.shop, self.seed, draw=self.bank.draw),
            pos=await stack.enter_async_context(PosClient(post.agent.url, post.agent.token)),
            live=self.live,
            clock_s=self._clock_s,
        )

    async def _watch(self, post: Post, info: RegisterInfo) -> None:
        """Tell when an agent ends by itself; the other registers go on unless this is a check."""
        await post.agent.wait_end()
        problem = f"the agent of {info.id} {post.agent.ending}"
        self.live.closed(info.id, problem)
        self.say(f"{problem}. Its last words:\n{post.agent.last_words()}")
        if self.check:
            self.stopping.set()

    def _memory_mb(self) -> Mapping[str, float]:
        measured = {info.id: post.agent.memory_mb() for post, info in self._pairs()}
        return {register: megabytes for register, megabytes in measured.items() if megabytes is not None}

    def _clock_s(self) -> float:
        return time.monotonic() - self._ready_s


async def _fetch_page(listening: socket.socket) -> None:
    """Fetch the page as a browser would; an error ends the check."""
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        (await client.get("/")).raise_for_status()
