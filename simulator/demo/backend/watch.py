"""Asks agents and keeper how they are, at a modest pace, and tells the story."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from simulator.demo.backend.account import FrameAccount, receipt_quantiles_ms
from simulator.demo.backend.backend import Backend
from simulator.demo.backend.story import Story

LOOK_EVERY_S = 0.5
RECEIPTS_EVERY_S = 2.0
TIMEOUT_S = 3.0


@dataclass(slots=True)
class Watch:
    """Looks at everything that has an address.

    Args:
        story: What is told.
        agents: Root of each agent's local API, by the page's id of its register.
        backend: Whose keeper counts erasures.
        client: For all requests.
    """

    story: Story
    agents: Mapping[str, str]
    backend: Backend
    client: httpx.AsyncClient

    async def run(self) -> None:
        """Look until cancelled."""
        looks = round(RECEIPTS_EVERY_S / LOOK_EVERY_S)
        turn = 0
        while True:
            await self.look()
            if turn % looks == 0:
                await self.look_at_receipts()
            turn += 1
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """How every uplink is now; what does not answer stays as it was, its end is told elsewhere."""
        await asyncio.gather(*(self._uplink(register, url) for register, url in self.agents.items()))
        with contextlib.suppress(httpx.TransportError):
            self.story.tell(erased=await self.backend.erased(self.client))

    async def look_at_receipts(self) -> None:
        """How long receipts take."""
        texts = []
        for url in self.agents.values():
            with contextlib.suppress(httpx.TransportError):
                texts.append((await self.client.get(f"{url}/metrics")).text)
        self.story.tell(receipt=receipt_quantiles_ms(texts))

    async def _uplink(self, register: str, url: str) -> None:
        with contextlib.suppress(httpx.TransportError):
            answer = await self.client.get(f"{url}/v1/uplink")
            if not answer.is_success:
                return
            uplink = answer.json()
            self.story.line(
                register,
                connected=uplink["connected"],
                waiting=sum(lane["spooled"] for lane in uplink["lanes"].values()) + uplink["held_frames"],
                frames=FrameAccount.of_lane(uplink["lanes"]["frames"]),
            )
