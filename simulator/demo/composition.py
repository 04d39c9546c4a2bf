"""The demo put together, and taken away again.

start: folders ─ rings ─ cloud ─ registers enrol ─ agents ─ ready
run:   cameras, one till per register, one watcher per process, feed and page, in one task group
end:   tills finish ─ spools drain ─ page closes ─ agents end ─ cloud ends ─ folders go ─ is anything left?
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.bank import CharacterBank
from simulator.chains import CHAINS
from simulator.demo.agent_process import AgentProcess
from simulator.demo.backend.story import story_shortfalls, story_summary
from simulator.demo.cameras import render_visit
from simulator.demo.floor import Floor
from simulator.demo.live_state import RegisterInfo
from simulator.demo.page import HOST, bind_page
from simulator.demo.post import Post, read_manifest, start_all
from simulator.demo.run_folder import run_folder, shared_memory_or
from simulator.demo.stopping import signals_set, unless
from simulator.demo.verdict import faults, shortfalls, summary
from simulator.demo.way_up import STAND_INS, WayUp, start_way_up, way_up
from simulator.frame_ring_writer import FrameRingWriter
from simulator.scene import FRAME_HEIGHT, FRAME_WIDTH

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line decides."""

    models: Mapping[str, Path]
    """Model directory of each chain."""
    seconds: float | None
    """How long customers come; None: until somebody ends it."""
    seed: int
    port: int
    registers: int
    """Per chain."""
    check: bool
    cloud: bool = True
    """Whether registers send anything; without, it is the small demo of the agents alone."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The demo runs."""

    page: str
    registers: Sequence[RegisterInfo]
    started_in_s: float
    console: str | None = None
    """The operators' console, which is there some seconds later; None without a cloud."""
    phones: Mapping[str, str] = field(default_factory=dict)
    """Each chain's page for phones, by its id; as the console."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo measured, and what was wrong with it."""

    summary: Mapping[str, Any]
    reasons: Sequence[str]


async def run_demo(
    options: DemoOptions, bank: CharacterBank, say: Say, on_ready: Callable[[Ready], None]
) -> DemoResult:
    """Run the demo until its time is over or SIGINT or SIGTERM comes, and take everything away again.

    Raises:
        TopscoopError: It could not start; nothing is left behind then either.
    """
    started_s = time.monotonic()
    stopping = asyncio.Event()
    with signals_set(stopping) as signalled, ExitStack() as stack:
        listening = stack.enter_context(contextlib.closing(bind_page(options.port)))
        temporary = Path(tempfile.gettempdir())
        folders = Folders(
            stack.enter_context(run_folder(temporary)),
            stack.enter_context(run_folder(shared_memory_or(temporary))),
        )
        posts = stack.enter_context(_posts(options, bank, folders))
        agents = [post.agent for post in posts]
        async with AsyncExitStack() as ending:
            way = (
                await ending.enter_async_context(way_up(posts, folders.data / "cloud"))
                if options.cloud
                else None
            )
            await ending.enter_async_context(_ended(agents))
            infos = await unless(stopping, _start(posts, way, say))
            ready = Ready(
                page=f"http://{HOST}:{listening.getsockname()[1]}/",
                registers=infos,
                started_in_s=time.monotonic() - started_s,
                console=way.backend.ports.console_url if way else None,
                phones={
                    chain.tenant: way.backend.ports.phones_url.format(tenant=chain.tenant) + "/try"
                    for chain in CHAINS.values()
                }
                if way
                else {},
            )
            floor = Floor(
                posts=posts,
                infos=infos,
                bank=bank,
                seed=options.seed,
                seconds=options.seconds,
                check=options.check,
                stopping=stopping,
                say=say,
                way=way,
            )
            memory_mb = await floor.run(listening, lambda: on_ready(ready))
    leftovers = [left for agent in agents if (left := agent.leftover())]
    leftovers += way.backend.leftovers() if way else []
    leftovers += [f"the folder {path}" for path in (folders.data, folders.rings) if path.exists()]
    missed = shortfalls(floor.live, interrupted=bool(signalled)) if options.check else []
    result = dict(summary(floor.live, memory_mb))
    if way is not None:
        result |= story_summary(way.story)
        missed += story_shortfalls(way.story) if options.check else []
    return DemoResult(result, [*faults(floor.live, leftovers), *missed])


async def _start(posts: Sequence[Post], way: WayUp | None, say: Say) -> list[RegisterInfo]:
    """Everything that is a process; returns when the registers are ready."""
    if way is None:
        say(f"starting {len(posts)} edge agents")
        return await start_all(posts, {})
    for stand_in in STAND_INS:
        say(stand_in)
    say("starting broker, store, enrolment, collector and keeper")
    await start_way_up(way)
    say(f"starting {len(posts)} edge agents, which enrol by themselves")
    infos, _ = await asyncio.gather(start_all(posts, way.ways), way.backend.wait_ready())
    await way.backend.all_enrolled()
    way.begin(infos)
    return infos


@dataclass(frozen=True, slots=True)
class Folders:
    """The demo's two temporary folders; frames go to memory, they touch no disk."""

    data: Path
    rings: Path


@contextmanager
def _posts(options: DemoOptions, bank: CharacterBank, folders: Folders) -> Iterator[list[Post]]:
    """Everything of all registers that exists before the agents start, first pictures included."""
    posts = []
    with ExitStack() as stack:
        for chain in CHAINS.values():
            model = options.models[chain.tenant]
            manifest = read_manifest(chain, model)
            for shop in chain.shops[: options.registers]:
                name = f"{chain.tenant}-{shop.id}"
                writer = FrameRingWriter(folders.rings / f"{name}.ring", FRAME_WIDTH, FRAME_HEIGHT)
                ring = stack.enter_context(writer)
                ring.write(render_visit(bank, shop, None, 0.0), time.monotonic_ns())
                agent = AgentProcess(f"{chain.tenant}/{shop.id}", folders.data / name)
                posts.append(Post(chain, shop, model, manifest, agent, ring))
        yield posts


@asynccontextmanager
async def _ended(agents: Sequence[AgentProcess]) -> AsyncIterator[None]:
    """End all agents on the way out, side by side, whatever happened."""
    try:
        yield
    finally:
        await asyncio.gather(*(agent.stop() for agent in agents))
