"""The till of one simulated register: serves one customer after the other through the agent's local API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.pos import GivenConsent, Interaction, Line, Notice, PosClient, PosError
from simulator.shop_simulator import ShopSimulator, Visit

SCANS_EVERY: Final = 6
"""Of so many customers, one who says yes does it on a phone."""


class Till:
    """Asks the simulator who comes and tells the agent; `visit` is what the camera sees.

    Args:
        info: The register.
        alive: Whether its agent runs, to tell a refused request from an agent that is gone.
        shop: Who comes and what they buy.
        pos: The way to the agent.
        live: Where everything is written down.
        clock_s: Seconds since the demo was ready.
        scan: A customer's phone: takes the address of a code, says whether the yes was said there.
    """

    def __init__(
        self,
        *,
        info: RegisterInfo,
        alive: Callable[[], bool],
        shop: ShopSimulator,
        pos: PosClient,
        live: LiveState,
        clock_s: Callable[[], float],
        scan: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self.info = info
        self.visit: Visit | None = None
        self.on_next_consent: Callable[[str], None] | None = None
        """If set, the next customer who consents takes it back when paying; told which consent, once."""
        self._alive = alive
        self._shop = shop
        self._pos = pos
        self._live = live
        self._clock_s = clock_s
        self._scan = scan
        self._notice: Notice | None = None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`, or until the agent is gone; an opened interaction is always paid."""
        with contextlib.suppress(PosError):  # an agent that is gone shows at the first customer
            self._notice = await self._pos.notice("en")
        while not stopping.is_set() and self._alive():
            visit = self.visit = self._shop.next_visit(self._clock_s())
            try:
                await self._serve_one(visit, stopping)
            except PosError as error:
                if self._alive():
                    self._live.failed(self.info.id, str(error))
                await self._until(visit.leaves_s, stopping)
            self._live.left(self.info.id)

    async def _serve_one(self, visit: Visit, stopping: asyncio.Event) -> None:
        flavours = self.info.chain.flavours
        if visit.menu_changed:
            pairs = zip(flavours, visit.in_stock, strict=True)
            await self._pos.set_menu([flavour.id for flavour, held in pairs if held])
        await self._until(visit.arrives_s, stopping)
        self._live.arrived(self.info.id, visit)
        await self._until(visit.orders_s, stopping)
        if stopping.is_set():
            return
        interaction = await self._pos.open_interaction(_context(visit))
        self._live.recommended(self.info.id, interaction)
        bought = visit.purchase(self.info.slate(interaction))
        given = await self._ask(visit, interaction)
        await self._until(visit.pays_s, stopping)
        receipt = f"{self.info.shop.id}-{visit.number:06}"
        line = Line(flavours[bought].id, visit.quantity)
        await self._pos.book_outcome(interaction.interaction_id, f"sale-{receipt}", receipt, [line])
        self._live.sold(self.info.id, bought)
        if given is not None and (visit.withdraws or self.on_next_consent is not None):
            await self._take_back(given)
        await self._until(visit.leaves_s, stopping)

    async def _ask(self, visit: Visit, interaction: Interaction) -> GivenConsent | None:
        """Ask whether the picture may be kept, where this agent keeps any."""
        if self._notice is None:
            return None
        if visit.consents and visit.number % SCANS_EVERY == 0 and await self._on_a_phone(interaction):
            self._live.answered(self.info.id, consented=True)
            return None  # no slip: who said yes on a phone takes it back there
        given = await self._pos.answer_consent(
            interaction.interaction_id, self._notice, granted=visit.consents
        )
        self._live.answered(self.info.id, consented=given is not None)
        return given

    async def _on_a_phone(self, interaction: Interaction) -> bool:
        """Let the customer scan the code; False where there is none, or no phone answers it."""
        if self._scan is None or self.on_next_consent is not None:
            return False
        url = await self._pos.handover(interaction.interaction_id)
        return url is not None and await self._scan(url)

    async def _take_back(self, given: GivenConsent) -> None:
        await self._pos.withdraw(given)
        self._live.withdrew(self.info.id)
        if self.on_next_consent is not None:
            tell, self.on_next_consent = self.on_next_consent, None
            tell(given.consent_id)

    async def _until(self, then_s: float, stopping: asyncio.Event) -> None:
        """Sleep until the clock shows `then_s`, or the demo stops."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), max(0.0, then_s - self._clock_s()))


def _context(visit: Visit) -> Mapping[str, float]:
    """What the till knows of the situation; the shop's kind stands in the agent's configuration.

    Hour and weekday are the simulated day's, so that an evening's customers come at any time of the real one.
    """
    situation = visit.situation
    return {
        "temperature_c": situation.temperature_c,
        "hour": situation.hour,
        "weekday": situation.weekday,
    }
