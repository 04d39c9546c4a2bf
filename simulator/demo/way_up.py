"""The demo's way up, or none: the backend, every register's cable, what is told of them, what happens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulator.bank import CharacterBank
from simulator.demo.backend import release_happening
from simulator.demo.backend.arrivals import arrival_of
from simulator.demo.backend.backend import Backend
from simulator.demo.backend.cable import Cable
from simulator.demo.backend.happenings import FOR_A_CHECK, FOR_WATCHERS, Happenings
from simulator.demo.backend.release_happening import ReleaseHappening
from simulator.demo.backend.release_story import ReleaseStory
from simulator.demo.backend.service_process import Record, ServiceProcess
from simulator.demo.backend.story import Story
from simulator.demo.backend.watch import TIMEOUT_S, Watch
from simulator.demo.errors import DemoError
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.demo.phones.guests import Guests
from simulator.demo.phones.story import PhoneStory
from simulator.demo.post import Post, Way
from simulator.demo.till import Till
from wire_protocol.topics import Identity

RELEASED = "gelateria-sole"
"""The chain that gets releases; the other one keeps the model that it was installed with."""
STAND_INS = (
    "stand-in: the S3 server is emulated; it checks no signature, no signed URL, and forgets all at its end",
    "stand-in: the embedded broker asks registers for no certificate and gives no rights; mosquitto does",
    "stand-in: the master key of the consent keys lies in a file, services and phones do without TLS",
    "stand-in: release keys lie unencrypted in one folder, and the identity provider asks for no password",
)
HAPPENS_WITHIN_S = 300.0
"""A check waits so long for all that happens; alone on a machine it takes a minute, for the releases."""
DRAINS_WITHIN_S = 30.0
DRAINS_FOR_WATCHERS_S = 3.0
"""Nobody who presses Ctrl-C wants to wait; what is left in the spools is told as spooled."""
_LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class WayUp:
    """Everything between the registers and the bucket."""

    posts: Sequence[Post]
    backend: Backend
    cables: Mapping[str, Cable]
    client: httpx.AsyncClient
    ways: Mapping[Identity, Way] = field(default_factory=dict)
    story: Story = field(default_factory=lambda: Story({}))
    _watch: Watch | None = None
    _guests: Guests | None = None

    def begin(self, infos: Sequence[RegisterInfo]) -> None:
        """All registers are ready: tell the story from here on."""
        by_name = {str(post.identity): info for post, info in zip(self.posts, infos, strict=True)}
        pages = {
            info.chain.name: self.backend.ports.phones_url.format(tenant=info.chain.tenant) + "/try"
            for info in infos
        }
        self.story = Story(by_name, self._release_story(by_name), PhoneStory(pages))
        self._watch = Watch(self.story, {info.id: info.url for info in infos}, self.backend, self.client)

    def _release_story(self, infos: Mapping[str, RegisterInfo]) -> ReleaseStory:
        chain = next(info.chain for info in infos.values() if info.chain.tenant == RELEASED)
        return ReleaseStory(
            tenant=chain.tenant,
            chain=chain.name,
            shops={
                Identity.parse(name).register: info.shop_name
                for name, info in infos.items()
                if info.chain is chain
            },
            console=self.backend.ports.console_url,
        )

    def record(self, record: Record) -> None:
        """A line of the collector's log."""
        if (arrival := arrival_of(record)) is not None:
            self.story.arrived(arrival)
        elif self.story.phones is not None:
            self.story.phones.record(record)

    def plug(self, register: str, plugged: bool) -> bool:  # noqa: FBT001 - what a button says
        """Plug a register's cable in or out; False where there is no such register."""
        cable = self.cables.get(register)
        if cable is None:
            return False
        if plugged:
            cable.plug_in()
        else:
            cable.unplug()
        self.story.plug(register, plugged=plugged)
        return True

    async def look(self) -> None:
        """Watch until cancelled."""
        assert self._watch is not None, "begun"
        await self._watch.run()

    async def let_guests_in(
        self, live: LiveState, bank: CharacterBank, seed: int, stopping: asyncio.Event, *, check: bool
    ) -> None:
        """As soon as the chains have a release and the public API listens, until `stopping`."""
        story, releases = self.story.phones, self.story.releases
        assert story is not None, "begun"
        assert releases is not None, "begun"
        while not releases.published:  # before that nobody could be answered
            if await _set_within(stopping, _LOOK_EVERY_S):
                return
        self._guests = Guests(
            story=story,
            live=live,
            public_url=self.backend.ports.phones_url,
            machines=self.backend.machines,
            alive=lambda: self.backend.phones_alive,
            client=self.client,
        )
        try:
            metrics_url = await self.backend.phones_ready()
        except DemoError as failure:
            live.broken(str(failure))
            return
        await self._guests.run(metrics_url, bank, seed, stopping, check=check)

    async def scan(self, tenant: str, url: str) -> bool:
        """A customer's phone scans a register's code; False where it has to be said at the till."""
        return self._guests is not None and await self._guests.scan(tenant, url)

    async def happen(self, live: LiveState, tills: Sequence[Till], *, check: bool) -> None:
        """Let forgery, outage, erasure and releases happen; what goes wrong with them is told as an error."""
        happenings = Happenings(
            story=self.story,
            live=live,
            backend=self.backend,
            cables=self.cables,
            tills=list(tills),
            identities=[post.identity for post in self.posts],
            client=self.client,
        )
        await asyncio.gather(
            _told(live, happenings.run(FOR_A_CHECK if check else FOR_WATCHERS)),
            _told(live, self._release(live, check=check)),
            self._phones_have_been(),
        )

    async def _phones_have_been(self) -> None:
        story = self.story.phones
        assert story is not None, "begun"
        while not story.complete:  # noqa: ASYNC110 - guests come when they come
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _release(self, live: LiveState, *, check: bool) -> None:
        story = self.story.releases
        assert story is not None, "begun"
        posts = [post for post in self.posts if post.chain.tenant == story.tenant]
        happening = ReleaseHappening(
            story=story,
            desk=self.backend.releases,
            model=posts[0].model,
            folder=self.backend.folder,
            agents={post.identity.register: post.agent.url for post in posts},
            served=lambda: sum(live.registers[f"{story.tenant}/{post.shop.id}"].served for post in posts),
            client=self.client,
        )
        await happening.run(release_happening.FOR_A_CHECK if check else release_happening.FOR_WATCHERS)

    async def watch_services(self, ended: Callable[[ServiceProcess], None]) -> None:
        """Tell of every service that ends by itself, until cancelled."""

        async def watch(service: ServiceProcess) -> None:
            await service.wait_end()
            ended(service)

        await asyncio.gather(*(watch(service) for service in self.backend.services))

    async def _phones_rest(self) -> bool:
        if self._guests is None:
            return True
        await self._guests.look()
        return self._guests.story.resting

    async def drain(self, within_s: float) -> None:
        """Plug everything in, and wait until no register has anything left to send, and no upload waits."""
        assert self._watch is not None, "begun"
        for register in self.cables:
            self.plug(register, plugged=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._watch.look()
                while self.story.waiting or not await self._phones_rest():
                    await asyncio.sleep(_LOOK_EVERY_S)
                    await self._watch.look()
        await self._watch.look_at_receipts()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


async def _told(live: LiveState, happening: Coroutine[Any, Any, None]) -> None:
    try:
        await happening
    except* (DemoError, httpx.TransportError) as failures:
        for failure in failures.exceptions:
            live.broken(str(failure))


@asynccontextmanager
async def way_up(posts: Sequence[Post], folder: Path) -> AsyncIterator[WayUp]:
    """Started; everything of it is ended on the way out, whatever happened.

    Raises:
        ServiceFailedError: A service did not start.
    """

    def on_record(record: Record) -> None:
        way.record(record)

    models = {post.chain.tenant: post.model.resolve() for post in posts}
    backend = Backend(folder, models, RELEASED, on_record)
    async with AsyncExitStack() as stack:
        client = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S)
        await stack.enter_async_context(client)
        stack.push_async_callback(backend.stop)
        cables = {
            post.agent.name: await stack.enter_async_context(Cable(backend.ports.registers)) for post in posts
        }
        way = WayUp(posts, backend, cables, client)
        yield way


async def start_way_up(way: WayUp) -> None:
    """Start the backend and give every register its code and its cable.

    Raises:
        ServiceFailedError: A service did not start.
    """
    codes = await way.backend.start({post.identity: post.shop.id for post in way.posts})
    way.ways = {
        post.identity: Way(
            way.backend.enrol_url,
            codes[post.identity],
            way.cables[post.agent.name].port,
            way.backend.ports.phones_url,
        )
        for post in way.posts
    }
