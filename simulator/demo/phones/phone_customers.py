"""Customers with a picture of their own: at a kiosk of the chain, or in a partner's app."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import httpx

from simulator.bank import CharacterBank
from simulator.chains import Chain
from simulator.demo.cameras import render_visit
from simulator.demo.live_state import LiveState
from simulator.demo.phones.chain_api import ChainApi, PhoneError
from simulator.demo.phones.story import PhoneStory
from simulator.shop_simulator import ShopSimulator, Visit

QUALITY: Final = 85
_LOOK_EVERY_S: Final = 0.25
_ERASED_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How one client's customers come.

    Attributes:
        every_s: Seconds between two of them, on average.
        erases_after: So many uploads later all of this client's are erased, once; None: never.
    """

    every_s: float
    erases_after: int | None = None


class PhoneCustomers:
    """One after the other: a picture, three flavours, a purchase.

    Args:
        chain: Whose ice cream they want.
        shop: Who comes; some agree that their picture is kept.
        bank: Their looks.
        api: The way to the chain.
        habits: How they come.
        story: Told of answers and erasures.
        live: Told what goes wrong.
        alive: Whether the API runs, to tell a refusal from an API that is gone.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        shop: ShopSimulator,
        bank: CharacterBank,
        api: ChainApi,
        habits: Habits,
        story: PhoneStory,
        live: LiveState,
        alive: Callable[[], bool],
    ) -> None:
        self._chain = chain
        self._shop = shop
        self._bank = bank
        self._api = api
        self._habits = habits
        self._story = story
        self._live = live
        self._alive = alive
        self._uploads = 0

    async def serve(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`; an upload that was begun is answered first."""
        logged_in = False
        while not stopping.is_set() and self._alive():
            try:
                if not logged_in:
                    await self._api.log_in()
                    notice = await self._api.notice()
                    logged_in = True
                visit = self._shop.next_visit(0.0)
                await self._serve_one(visit, notice if visit.consents else None)
                if self._uploads == self._habits.erases_after:
                    await self._erase()
                    logged_in = False  # its tokens went with everything else
            except (PhoneError, httpx.TransportError) as error:
                logged_in = False
                if self._alive() and not stopping.is_set():
                    self._live.broken(f"a customer of the public API of {self._chain.name}: {_words(error)}")
            with contextlib.suppress(TimeoutError):
                pause_s = self._habits.every_s * random.uniform(0.6, 1.4)  # noqa: S311 - nobody guesses it
                await asyncio.wait_for(stopping.wait(), pause_s)

    async def _serve_one(self, visit: Visit, consent: Mapping[str, Any] | None) -> None:
        picture = await asyncio.to_thread(self._picture, visit)
        situation = visit.situation
        context = {
            "hour": situation.hour,
            "weekday": situation.weekday,
            "temperature_c": situation.temperature_c,
            "shop": situation.shop,
        }
        answered = await self._api.recommend(picture, context, consent)
        self._uploads += 1
        self._story.answer.add(answered.took_ms)
        flavours = [flavour.id for flavour in self._chain.flavours]
        bought = visit.purchase([flavours.index(one) for one in answered.slate])
        await self._api.bought(answered.request_id, flavours[bought], visit.quantity)

    def _picture(self, visit: Visit) -> bytes:
        frame = render_visit(self._bank, self._chain.shops[0], visit, visit.orders_s)
        encoded, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not encoded:
            raise RuntimeError("OpenCV could not encode a JPEG")
        return bytes(jpeg)

    async def _erase(self) -> None:
        status = await self._api.erase()
        try:
            async with asyncio.timeout(_ERASED_WITHIN_S):
                while not await self._api.erased(status):  # noqa: ASYNC110 - another process erases
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError as error:
            raise PhoneError(f"an erasure has no end after {_ERASED_WITHIN_S:g} s") from error
        self._story.proven += 1


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
