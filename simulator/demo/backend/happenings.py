"""What happens by itself, once, so that whoever watches sees it: a forgery, an outage, an erasure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from simulator.demo.backend.backend import Backend
from simulator.demo.backend.cable import Cable
from simulator.demo.backend.forger import forge
from simulator.demo.backend.story import Erasure, Outage, Story
from simulator.demo.live_state import LiveState
from simulator.demo.till import Till
from wire_protocol.topics import Identity

LOOK_EVERY_S: Final = 0.1
GATHERS_AT_LEAST: Final = 4
"""Messages that shall wait in the unplugged register's spool before it is plugged in again."""
GATHERS_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds after the demo is ready."""

    forge_at_s: float
    erase_at_s: float
    unplug_at_s: float
    unplugged_for_s: float


FOR_WATCHERS: Final = Schedule(forge_at_s=6, erase_at_s=14, unplug_at_s=22, unplugged_for_s=12)
FOR_A_CHECK: Final = Schedule(forge_at_s=0.5, erase_at_s=0.5, unplug_at_s=1, unplugged_for_s=4)


@dataclass(slots=True)
class Happenings:
    """Lets them happen, each to another register if there are three.

    Args:
        story: Told how far each has come.
        live: Counts who takes a consent back.
        backend: The cloud.
        cables: By the page's id of a register.
        tills: In the order of the page.
        identities: As the certificates have them, in the order of the tills.
        client: For all requests.
    """

    story: Story
    live: LiveState
    backend: Backend
    cables: Mapping[str, Cable]
    tills: list[Till]
    identities: list[Identity]
    client: httpx.AsyncClient

    async def run(self, schedule: Schedule) -> None:
        """All three, side by side; returns when the last has ended.

        Raises:
            ServiceFailedError: The broker or the erasing command failed.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.forgery(schedule.forge_at_s), name="forgery")
            group.create_task(self.erasure(schedule.erase_at_s), name="erasure")
            group.create_task(self.outage(schedule.unplug_at_s, schedule.unplugged_for_s), name="outage")

    async def forgery(self, at_s: float) -> None:
        """A frame in the name of the second register, by somebody without its key."""
        await asyncio.sleep(at_s)
        victim = self.identities[1 % len(self.identities)]
        message_id = await forge(self.backend.ports.services, victim)
        self.story.forged(message_id.hex())

    async def erasure(self, at_s: float) -> None:
        """The next customer of the first register who consents takes it back when paying."""
        await asyncio.sleep(at_s)
        till = self.tills[0]
        taken_back: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        till.on_next_consent = taken_back.set_result
        self.story.tell(erasure=Erasure.ASKED, erasure_at=till.info.id)
        consent = await taken_back
        told = sum(state.withdrawn for state in self.live.registers.values())
        told += self.story.phones.consents_erased if self.story.phones is not None else 0
        self.story.tell(erasure=Erasure.WITHDRAWN)
        # By now so many consents were taken back; when the keeper has erased as many, this one is among them.
        while await self.backend.erased(self.client) < told:  # noqa: ASYNC110 - another process erases
            await asyncio.sleep(LOOK_EVERY_S)
        proof = await self.backend.proof_of_erasure(self.identities[0].tenant, consent.replace("-", ""))
        self.story.tell(erasure=Erasure.ERASED, versions_deleted=proof["versions_deleted"])

    async def outage(self, at_s: float, for_s: float) -> None:
        """The last register's cable is unplugged, and plugged in again when something waits for it."""
        await asyncio.sleep(at_s)
        register = self.tills[-1].info.id
        line = self.story.lines[register]
        self.story.tell(outage=Outage.OFFLINE, outage_at=register, outage_most=0)
        self.cables[register].unplug()
        self.story.plug(register, plugged=False)
        try:
            await asyncio.sleep(for_s)
            for _ in range(round(GATHERS_WITHIN_S / LOOK_EVERY_S)):
                if line.waiting >= GATHERS_AT_LEAST:
                    break
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.cables[register].plug_in()
            self.story.plug(register, plugged=True)
        self.story.tell(outage=Outage.CATCHING_UP, outage_most=line.waiting)
        while line.waiting:
            self.story.tell(outage_most=max(self.story.outage_most, line.waiting))
            await asyncio.sleep(LOOK_EVERY_S)
        if self.story.outage_most:
            self.story.tell(outage=Outage.CAUGHT_UP)
