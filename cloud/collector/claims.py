"""From a claim to its end: put, version confirmed, row done, or given back."""

import functools
from collections.abc import Sequence

from cloud.collector.answers import Answers, Work
from cloud.collector.batches import Batches, Pace
from cloud.collector.failures import Failures
from cloud.collector.in_flight import InFlight
from cloud.collector.isolation import each_by_itself
from cloud.collector.limits import Limits
from cloud.collector.object_storing import store_version
from cloud.collector.ports import World
from cloud.collector.quota import Outage
from cloud.collector.values import Claim, Ending, Offer, Row, State
from cloud.errors import DatabaseAway


class Claims:
    """The second half of a frame's way."""

    def __init__(  # noqa: PLR0917 - the parts that it works with
        self,
        world: World,
        limits: Limits,
        in_flight: InFlight,
        pace: Pace,
        answers: Answers,
        failures: Failures,
    ) -> None:
        self._world = world
        self._limits = limits
        self._answers = answers
        self._failures = failures
        self._outage = Outage()
        self._put: Batches[tuple[Work, Ending]] = Batches(
            most=limits.batch_max,
            pace=pace,
            per_tenant=limits.in_flight,
            more=lambda: in_flight.messages > len(self._put),
        )

    @property
    def store_away(self) -> bool:
        """Whether the object store failed when it was last asked."""
        return self._outage.away

    async def put(self, work: Work, offer: Offer, claim: Claim) -> None:
        """Put a claimed frame's object; `finish_batches` ends the claim, with its version or without."""
        version = None
        if self._outage.may_ask(self._world.clock.now_ms()):
            try:
                version = await store_version(
                    self._world.objects,
                    offer,
                    claim,
                    now_ms=self._world.clock.now_ms(),
                    sweep_after_ms=self._limits.sweep_after_ms,
                )
                self._outage.answered()
            except Exception as error:  # noqa: BLE001 - whatever the store's trouble is, no message is to blame
                self._outage.failed(self._world.clock.now_ms())
                self._world.watch.failed("object.put_failed", work.delivery.topic, error)
        self._put.put(work.topic.identity.tenant, (work, Ending(offer, claim, version)))

    async def finish_batches(self) -> None:
        """End claims, in micro-batches, for ever."""
        while True:
            await self._finish(*await self._put.batch())

    async def _finish(self, tenant: str, batch: Sequence[tuple[Work, Ending]]) -> None:
        try:
            rows = await each_by_itself(functools.partial(self._finish_rows, tenant), batch)
        except DatabaseAway:
            # The version stays; who takes the claim over adopts it.
            self._failures.database_away([work for work, _ in batch])
            return
        for (work, ending), row in zip(batch, rows, strict=True):
            if isinstance(row, Exception):
                await self._failures.unexpected(work, row)
            elif row is None:
                await self._lost(work, ending)
            elif row.state is State.CLAIMED:
                self._answers.later(work, row.message_id, self._limits.retry_after_ms, "objects")
            else:
                if row.state is State.GONE:
                    await self._delete(work, ending)
                self._answers.row(work, row, ending.offer)

    async def _finish_rows(self, tenant: str, batch: Sequence[tuple[Work, Ending]]) -> Sequence[Row | None]:
        endings = [ending for _, ending in batch]
        return await self._world.ledger.finish(tenant, endings, self._world.clock.now_ms())

    async def _lost(self, work: Work, ending: Ending) -> None:
        """Somebody took the claim over.

        The own version is deleted only when the row names another: who took over may be adopting it now.
        """
        message, identity = ending.offer.message, work.topic.identity
        message_id = message.header.message_id
        try:
            row = await self._world.ledger.row(identity.tenant, identity.register, message_id)
        except DatabaseAway:
            row = None
        if row is None or row.state is State.CLAIMED or row.sha256 != message.sha256:
            self._answers.later(work, message_id, self._limits.terms.busy_retry_ms, "busy")
            return
        if row.version != ending.version:
            await self._delete(work, ending)
        self._answers.row(work, row, ending.offer, repeated=True)

    async def _delete(self, work: Work, ending: Ending) -> None:
        if ending.version is None:
            return
        try:
            await self._world.objects.delete(ending.claim.object_key, ending.version)
        except Exception as error:  # noqa: BLE001 - whatever the store's trouble is, the sweeper will
            self._world.watch.failed("object.delete_failed", work.delivery.topic, error)
