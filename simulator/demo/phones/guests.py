"""All who use the public API while the demo runs, and who looks at how it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import httpx

from simulator.bank import CharacterBank
from simulator.chains import CHAINS
from simulator.demo.backend.backend import Machine
from simulator.demo.live_state import LiveState
from simulator.demo.phones.chain_api import ChainApi
from simulator.demo.phones.phone_customers import Habits, PhoneCustomers
from simulator.demo.phones.scanner import Phone, Scanner
from simulator.demo.phones.story import PhoneStory, UploadCounts
from simulator.shop_simulator import ShopSimulator

CONSENT_SHARE: Final = 0.4
CHECK_EVERY_S: Final = 2.5
WATCHERS_EVERY_S: Final = 6.0
ERASES_AFTER: Final = 6
PHONES: Final = ("anna", "bea", "carlo")
"""Of each chain; whoever logs in by these names is one of them."""
LOOK_EVERY_S: Final = 0.5
_SEED_STEP: Final = 1009


@dataclass(slots=True)
class Guests:
    """Kiosks and a partner's app upload pictures, phones scan codes at the tills.

    Args:
        story: Told of everything.
        live: Told what goes wrong.
        public_url: The API's address, with `{tenant}`.
        machines: Each chain's clients.
        alive: Whether the API runs.
        client: For looking at metrics.
    """

    story: PhoneStory
    live: LiveState
    public_url: str
    machines: Mapping[str, Sequence[Machine]]
    alive: Callable[[], bool]
    client: httpx.AsyncClient
    scanner: Scanner | None = None
    """While the API is there."""
    _metrics_url: str = ""

    async def run(
        self, metrics_url: str, bank: CharacterBank, seed: int, stopping: asyncio.Event, *, check: bool
    ) -> None:
        """Let them come until `stopping`; what was begun is ended, in a check whatever time it takes."""
        self._metrics_url, self.story.ready = metrics_url, True
        phones = {
            tenant: [Phone(self.public_url, tenant, subject) for subject in PHONES]
            for tenant in self.machines
        }
        async with AsyncExitStack() as stack:
            self.scanner = await stack.enter_async_context(Scanner(phones, self.story, self.live))
            try:
                customers = [
                    await self._customers(stack, tenant, number, bank, seed, check=check)
                    for tenant, machines in self.machines.items()
                    for number in range(len(machines))
                ]
                async with asyncio.TaskGroup() as group:
                    watching = group.create_task(self._watch(), name="watch uploads")
                    serving = [group.create_task(one.serve(stopping), name="guests") for one in customers]
                    await stopping.wait()
                    await asyncio.wait(serving)
                    if check:
                        await self.scanner.rest()
                    watching.cancel()
            finally:
                self.scanner = None

    async def scan(self, tenant: str, url: str) -> bool:
        """As `Scanner.scan`; False while nobody could log in."""
        return self.scanner is not None and await self.scanner.scan(tenant, url)

    async def look(self) -> None:
        """How many uploads there are; an API that does not answer leaves the numbers as they are."""
        if self._metrics_url:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.client.get(self._metrics_url)
                self.story.uploads = UploadCounts.of_metrics(answer.text)

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _customers(
        self, stack: AsyncExitStack, tenant: str, number: int, bank: CharacterBank, seed: int, *, check: bool
    ) -> PhoneCustomers:
        chain, machine = CHAINS[tenant], self.machines[tenant][number]
        api = await stack.enter_async_context(
            ChainApi(self.public_url, tenant, machine.client_id, machine.secret)
        )
        # The last client of the first chain is the one that has everything erased.
        erases = tenant == next(iter(self.machines)) and number == len(self.machines[tenant]) - 1
        return PhoneCustomers(
            chain=chain,
            shop=ShopSimulator(
                chain,
                chain.shops[0],
                seed + _SEED_STEP * (number + 1),
                draw=bank.draw,
                consent=CONSENT_SHARE,
            ),
            bank=bank,
            api=api,
            habits=Habits(CHECK_EVERY_S if check else WATCHERS_EVERY_S, ERASES_AFTER if erases else None),
            story=self.story,
            live=self.live,
            alive=self.alive,
        )
