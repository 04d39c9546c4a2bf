"""The file service's flow: receive → believe → pace → read → sign → publish → PUBACK; chains side by side.

Nothing is kept of a request: what is lost the register asks for again.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cloud.collector.known_senders import KnownSenders
from cloud.collector.values import Delivery
from cloud.errors import DatabaseAway
from cloud.files import answers
from cloud.files.answers import Block
from cloud.files.lanes import Lanes
from cloud.files.pace import Paces
from cloud.files.ports import World
from cloud.files.requests import ASK_AGAIN, parsed, request_in, verified
from cloud.releases.errors import FileMissing, ReleasesAway, ReleasesRefused
from cloud.releases.ports import Piece
from wire_protocol.envelope import UnverifiedMessage, VerifiedMessage
from wire_protocol.errors import RefusedMessage, TopscoopError
from wire_protocol.fleet_messages import FileRequestUp
from wire_protocol.topics import Down, Identity, Topic

IN_FLIGHT: Final = 1024
"""Requests that the broker may hand over before the first is acknowledged; each has 2 KB at most."""
LANE_WAITING: Final = 256
"""Requests of one chain that wait; a register has three in the air at most."""
LANE_AT_ONCE: Final = 4
"""Of one chain in work: a block each in memory, and a thread while the store is read."""
THREADS: Final = 16
LANE_FULL_MS: Final = 500
DATABASE_AWAY_MS: Final = 2_000
STORE_AWAY_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Request:
    delivery: Delivery
    message: UnverifiedMessage
    received_at_ms: int

    @property
    def identity(self) -> Identity:
        """Who sends, by the broker's word."""
        return self.message.header.topic.identity

    @property
    def id(self) -> bytes:
        """What the answer names."""
        return self.message.header.message_id


class FileDesk:
    """One file service; several share the subscription.

    Args:
        world: Everything outside.
        bytes_per_s: For one register.
    """

    def __init__(self, world: World, bytes_per_s: int) -> None:
        self._world = world
        self._senders = KnownSenders(world.directory)
        self._paces = Paces(bytes_per_s)
        self._lanes: Lanes[_Request] = Lanes(self._serve, waiting=LANE_WAITING, at_once=LANE_AT_ONCE)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._lanes)

    def close(self) -> None:
        """Wait for what is being read."""
        self._threads.shutdown(cancel_futures=True)

    async def run(self) -> None:
        """Until cancelled; a defect in a part ends all."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._take_in(await self._world.link.next(), tasks)
                await asyncio.sleep(0)  # a queue that is never empty never waits: the lanes' turn

    # ---- receive ----

    def _take_in(self, delivery: Delivery, tasks: asyncio.TaskGroup) -> None:
        try:
            request = _Request(delivery, parsed(delivery), self._world.clock.now_ms())
        except RefusedMessage as error:
            self._world.watch.refused(delivery.topic, error)
            self._world.link.acknowledge(delivery)
            return
        if not self._lanes.put(tasks, request.identity.tenant, request):
            self._answer(request, answers.busy(request.id, LANE_FULL_MS))
            self._world.link.acknowledge(delivery)

    # ---- serve ----

    async def _serve(self, request: _Request) -> None:
        try:
            block = await self._block(request)
            self._answer(request, block)
            await self._world.link.flushed()
        except RefusedMessage as error:
            self._world.watch.refused(request.delivery.topic, error)
        except Exception as error:  # noqa: BLE001 - a defect that one request meets ends no others
            self._world.watch.failed(request.delivery.topic, error)
        self._world.link.acknowledge(request.delivery)

    async def _block(self, request: _Request) -> Block:
        """What the register is answered; raises RefusedMessage where it is not believed."""
        try:
            message = await self._believed(request)
        except DatabaseAway as error:
            self._world.watch.waits("database", error)
            return answers.busy(request.id, DATABASE_AWAY_MS)
        asked, who = request_in(message), str(request.identity)
        wait_ms = self._paces.wait_ms(who, self._world.clock.now_ms())
        if wait_ms:
            return answers.busy(request.id, wait_ms)
        try:
            found = await self._read(request.identity.tenant, asked)
        except FileMissing:
            block = answers.missing(request.id)
        except (ReleasesAway, ReleasesRefused) as error:
            self._world.watch.waits("releases", error)
            return answers.busy(request.id, STORE_AWAY_MS)
        else:
            block = answers.piece(request.id, asked, found)
            if asked.deflate:
                loop = asyncio.get_running_loop()
                block = await loop.run_in_executor(self._threads, answers.packed, block)
        self._paces.spend(who, len(block.data), self._world.clock.now_ms())
        return block

    async def _believed(self, request: _Request) -> VerifiedMessage:
        identity, names = request.identity, [request.identity.register]
        now_ms = self._world.clock.now_ms()
        senders = await self._senders.of(identity.tenant, names, now_ms)
        try:
            return verified(request.message, senders, now_ms)
        except RefusedMessage as error:
            if error.reason not in ASK_AGAIN:
                raise
        senders = await self._senders.of(identity.tenant, names, now_ms, afresh=True)
        return verified(request.message, senders, now_ms)

    async def _read(self, tenant: str, asked: FileRequestUp) -> Piece:
        # The chain is the broker's word about the sender, never the message's.
        where = (tenant, asked.path, asked.offset, asked.length)
        found = self._world.store.remembered(*where)
        if found is not None:
            return found
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._world.store.get, *where)

    # ---- answer ----

    def _answer(self, request: _Request, block: Block) -> None:
        world, identity = self._world, request.identity
        now_ms = world.clock.now_ms()
        try:
            key = world.signer_of(identity.tenant)
        except TopscoopError as error:
            world.watch.waits("keys", error)
            return
        message = answers.sign(block, identity, world.token(), now_ms, key)
        world.link.publish(Topic(identity, Down.FILE_BLOCK), message)
        world.watch.answered(block.payload.status, len(block.data), now_ms - request.received_at_ms)
