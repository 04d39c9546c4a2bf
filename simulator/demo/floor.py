"""The running demo: every task, and the order in which they end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from simulator.bank import CharacterBank
from simulator.demo.backend.service_process import ServiceProcess
from simulator.demo.cameras import SimulatedCamera, run_cameras
from simulator.demo.feed import Feed
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.demo.page import HOST, build_app, page_server
from simulator.demo.pictures import Pictures
from simulator.demo.post import Post
from simulator.demo.stopping import wait
from simulator.demo.till import Till
from simulator.demo.way_up import DRAINS_FOR_WATCHERS_S, DRAINS_WITHIN_S, HAPPENS_WITHIN_S, WayUp
from simulator.pos import PosClient
from simulator.shop_simulator import BUSY_AFTERNOON, IN_A_HURRY, ShopSimulator


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
    way: WayUp | None = None
    """To the cloud."""
    live: LiveState = field(init=False)
    _ready_s: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.live = LiveState.of(self.infos)

    async def run(self, listening: socket.socket, on_ready: Callable[[], None]) -> Mapping[str, float]:
        """Run until `stopping` or the end of time; returns each agent's resident memory in MB just before."""
        pictures = Pictures([info.id for info in self.infos])
        feed = Feed(self.live, self._clock_s, self.way.story if self.way else None)
        app = build_app(feed, pictures, self.way.plug) if self.way else build_app(feed, pictures)
        server = page_server(app)
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
                happening = group.create_task(self._happen(tills), name="happenings")
                serving += [group.create_task(work, name="guests") for work in self._guests()]
                watchers += [group.create_task(work, name=name) for name, work in self._cloud_work()]
                on_ready()
                if self.check:
                    await _fetch_page(listening)
                await wait(self.stopping, self.seconds)
                if self.check:  # what happens by itself may take longer than the customers were meant to
                    await self._unless_stopped(happening)
                interrupted = self.stopping.is_set()
                self.stopping.set()
                happening.cancel()
                # An interaction that was opened is paid before anything ends.
                await asyncio.wait([*serving, happening])
                if self.way is not None:
                    await self.way.drain(
                        DRAINS_WITHIN_S if self.check and not interrupted else DRAINS_FOR_WATCHERS_S
                    )
                memory_mb = self._memory_mb()
                for watcher in watchers:
                    watcher.cancel()
                feed.close()
                pictures.close()
                server.should_exit = True
        return memory_mb

    def _cloud_work(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """What is done beside the shops until the demo ends."""
        if self.way is None:
            return []
        return [
            ("watch uplinks", self.way.look()),
            ("watch services", self.way.watch_services(self._service_ended)),
        ]

    def _guests(self) -> list[Coroutine[Any, Any, None]]:
        """Those who use the public API."""
        if self.way is None:
            return []
        return [self.way.let_guests_in(self.live, self.bank, self.seed, self.stopping, check=self.check)]

    async def _happen(self, tills: Sequence[Till]) -> None:
        if self.way is not None:
            await self.way.happen(self.live, tills, check=self.check)

    async def _unless_stopped(self, task: asyncio.Task[None]) -> None:
        """Wait for a task; not for ever, and not when the demo is told to stop."""
        stop = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({task, stop}, timeout=HAPPENS_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    def _service_ended(self, service: ServiceProcess) -> None:
        """Tell when a service ends by itself; registers go on without it, unless this is a check."""
        problem = f"{service.name} {service.ending}"
        self.live.broken(problem)
        self.say(f"{problem}. Its last words:\n{service.last_words()}")
        if self.check:
            self.stopping.set()

    def _pairs(self) -> list[tuple[Post, RegisterInfo]]:
        return list(zip(self.posts, self.infos, strict=True))

    async def _till(self, post: Post, info: RegisterInfo, stack: contextlib.AsyncExitStack) -> Till:
        return Till(
            info=info,
            alive=lambda: post.agent.alive,
            shop=ShopSimulator(
                post.chain,
                post.shop,
                self.seed,
                draw=self.bank.draw,
                pace=IN_A_HURRY if self.check else BUSY_AFTERNOON,
            ),
            pos=await stack.enter_async_context(PosClient(post.agent.url, post.agent.token)),
            live=self.live,
            clock_s=self._clock_s,
            scan=partial(self.way.scan, info.chain.tenant) if self.way is not None else None,
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
