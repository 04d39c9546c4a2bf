"""The collector's flow: receive → examine → open (accept, claim) → put → finish → receipt → PUBACK.

Messages travel in micro-batches of one tenant, tenants in turn. What goes wrong with one message never fails
its batch mates. Nothing is acknowledged before it is durable or answered; what is lost comes again.
"""

import asyncio
import functools
from collections.abc import Callable, Sequence

from cloud.collector.acceptance import Terms, accept
from cloud.collector.answers import Answers, Work
from cloud.collector.batches import Batches, Pace
from cloud.collector.claims import Claims
from cloud.collector.failures import Failures
from cloud.collector.in_flight import InFlight
from cloud.collector.isolation import each_by_itself
from cloud.collector.known_senders import KnownSenders
from cloud.collector.limits import Limits
from cloud.collector.offers import Examined, Offers, unique_rounds
from cloud.collector.ports import World
from cloud.collector.turns import Company
from cloud.collector.values import (
    Claim,
    Delivery,
    Facts,
    Later,
    Offer,
    Opening,
    Refuse,
    Repeat,
    Ruling,
)
from cloud.collector.verification import Rejected, claimed_id, topic_of
from cloud.errors import DatabaseAway
from wire_protocol.errors import RefusedMessage

Accept = Callable[[Offer, Facts, Terms, int], Ruling]
_REFUSALS_EVERY_S = 0.25


class Collector:
    """One collector; several share a subscription. `drain` ends it in order, cancelling `run` at once."""

    def __init__(self, world: World, limits: Limits, accept: Accept = accept) -> None:
        self._world = world
        self._limits = limits
        self._accept = accept
        self.in_flight = InFlight(limits)
        self._pace = Pace(limits.batch_ms / 1000)
        self._answers = Answers(world.link, world.signer_of, world.clock, world.watch, self._leave)
        self._failures = Failures(world.ledger, self._answers, world.watch, limits)
        self._offers = Offers(KnownSenders(world.directory), world.token)
        self.claims = Claims(world, limits, self.in_flight, self._pace, self._answers, self._failures)
        self._arrived: Batches[Work] = Batches(
            most=limits.batch_max,
            pace=self._pace,
            per_tenant=max(1, limits.in_flight // 2),
            # Who comes to an idle collector goes at once: there is nothing to wait for.
            more=lambda: not self.in_flight.full and self.in_flight.messages > len(self._arrived),
        )
        self._company = Company()

    async def run(self) -> None:
        """Until cancelled; where a part dies, all do."""
        async with asyncio.TaskGroup() as self._tasks:
            start = self._tasks.create_task
            self._receiving = start(self._receive(), name="collector receive")
            for number in range(self._limits.workers):
                start(self._open_batches(), name=f"collector open {number}")
                start(self.claims.finish_batches(), name=f"collector finish {number}")
            start(self._write_refusals(), name="collector refusals")

    async def drain(self) -> None:
        """Take nothing more in, and return when all that was taken in is answered."""
        self._receiving.cancel()
        await self.in_flight.none()
        await self._write_counts()

    # ---- receive ----

    async def _receive(self) -> None:
        while True:
            await self.in_flight.room()
            self._take_in(await self._world.link.next())

    def _take_in(self, delivery: Delivery) -> None:
        self.in_flight.enter(len(delivery.payload))
        self._world.watch.received(len(delivery.payload))
        try:
            topic = topic_of(delivery.topic)
        except RefusedMessage as error:
            self._answers.misplaced(delivery, error.reason, str(error))
            return
        work = Work(delivery, topic, self._world.clock.now_ms())
        tenant = topic.identity.tenant
        # Alone, a tenant may fill the room; in company it leaves half of it to the others.
        shared = self._company.shared(tenant, work.received_at_ms)
        if not self._arrived.put(tenant, work, bounded=shared):
            self._answers.later(work, claimed_id(delivery.payload), self._limits.terms.busy_retry_ms, "queue")

    def _leave(self, delivery: Delivery, took_ms: int) -> None:
        self.in_flight.leave(len(delivery.payload))
        self._pace.took(took_ms)

    # ---- examine, open ----

    async def _open_batches(self) -> None:
        while True:
            await self._open(*await self._arrived.batch())

    async def _open(self, tenant: str, works: Sequence[Work]) -> None:
        try:
            examined = await self._offers.examine(tenant, works, self._world.clock.now_ms())
        except DatabaseAway:
            self._failures.database_away(works)
            return
        except Exception as error:  # noqa: BLE001 - what is kept of a sender is broken, not the message
            self._world.watch.failed("message.failed", str(works[0].topic), error)
            self._failures.database_away(works)
            return
        offers = []
        for work, result in zip(works, examined, strict=True):
            if isinstance(result, Offer):
                offers.append((work, result))
            else:
                await self._settle_unverified(work, result)
        for batch in unique_rounds(offers):
            await self._open_round(tenant, batch)

    async def _settle_unverified(self, work: Work, result: Examined) -> None:
        match result:
            case Rejected(reason, detail, message_id):
                self._answers.refuse(work, message_id, reason, detail)
            case Later(retry_after_ms, why):
                self._answers.later(work, claimed_id(work.delivery.payload), retry_after_ms, why)
            case Exception():
                await self._failures.unexpected(work, result)

    async def _open_round(self, tenant: str, batch: Sequence[tuple[Work, Offer]]) -> None:
        try:
            openings = await each_by_itself(functools.partial(self._open_rows, tenant), batch)
        except DatabaseAway:
            self._failures.database_away([work for work, _ in batch])
            return
        for (work, offer), opening in zip(batch, openings, strict=True):
            if isinstance(opening, Exception):
                await self._failures.unexpected(work, opening)
            else:
                self._proceed(work, offer, opening)

    async def _open_rows(self, tenant: str, batch: Sequence[tuple[Work, Offer]]) -> Sequence[Opening]:
        now_ms = self._world.clock.now_ms()

        def decide(offer: Offer, facts: Facts) -> Ruling:
            return self._accept(offer, facts, self._limits.terms, now_ms)

        return await self._world.ledger.open(tenant, [offer for _, offer in batch], decide, now_ms)

    def _proceed(self, work: Work, offer: Offer, opening: Opening) -> None:
        message_id = offer.message.header.message_id
        match opening.ruling:
            case Claim() as claim:
                self._tasks.create_task(self.claims.put(work, offer, claim), name="collector put")
            case Later(retry_after_ms, why):
                self._answers.later(work, message_id, retry_after_ms, why)
            case Refuse(reason, detail) if opening.row is None:
                self._answers.refuse(work, message_id, reason, detail)
            case ruling:
                assert opening.row is not None, f"{ruling} leaves a row"
                self._answers.row(work, opening.row, offer, repeated=isinstance(ruling, Repeat))

    # ---- counters of refusals ----

    async def _write_refusals(self) -> None:
        while True:
            await asyncio.sleep(_REFUSALS_EVERY_S)
            await self._write_counts()

    async def _write_counts(self) -> None:
        for tenant, counts in self._answers.take_refusals().items():
            try:
                await self._world.ledger.count_refusals(tenant, counts)
            except DatabaseAway:
                self._answers.put_back(tenant, counts)
