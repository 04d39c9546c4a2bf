"""The tasks of a rollout controller's process; where one dies, the process ends and is started again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cloud.collector.values import Delivery
from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage
from cloud.rollout.intake import Intake, Taken
from cloud.rollout.outbox import Order, Outbox
from cloud.rollout.tick import Ticked
from daemon.log_fields import fields
from wire_protocol.errors import OperatorError, TopscoopError
from wire_protocol.topics import Topic

log = logging.getLogger(__name__)

BATCH_MAX: Final = 200
"""Messages in one transaction."""
LETTERS_MAX: Final = 500
"""Orders that are signed and handed over before they are written down as published."""
_AGAIN_S: Final = 1.0
_COMPANY_S: Final = 0.02
"""How long a batch of reports waits for further ones."""


class Link(Protocol):
    """The broker."""

    async def next(self) -> Delivery:
        """The next message; waits as long as it takes."""

    def retain(self, topic: Topic, message: bytes) -> bool:
        """Publish, and let the broker keep it; whether it was handed over."""

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK; without effect where the connection that brought it is gone."""

    async def ready(self) -> None:
        """Wait until it is connected."""


class Watch(Protocol):
    """Who counts and shows what a controller does."""

    def took(self, taken: Taken) -> None:
        """A batch of reports was taken in."""

    def ticked(self, ticked: Ticked, seconds: float) -> None:
        """A chain's rollouts were looked at."""

    def published(self, count: int) -> None:
        """So many desired states were handed to the broker."""

    def went_round(self) -> None:
        """Every chain was looked at without a failure."""

    def failed(self, what: str, error: TopscoopError) -> None:
        """`intake`, `tick` or `publish` could not be done; it is tried again."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a controller works with.

    Attributes:
        tick: One look at a chain.
        tenants: Every chain.
        tick_s: Pause between two rounds.
    """

    intake: Intake
    outbox: Outbox
    tick: Callable[[str], Ticked]
    tenants: Callable[[], list[str]]
    tick_s: float


async def run_rollouts(work: Work, link: Link, watch: Watch) -> None:
    """Until cancelled."""
    loop = _Loop(work, link, watch)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.reports(), name="rollout reports")
        group.create_task(loop.ticks(), name="rollout ticks")
        group.create_task(loop.publishing(), name="rollout publishing")


class _Loop:
    def __init__(self, work: Work, link: Link, watch: Watch) -> None:
        self._work = work
        self._link = link
        self._watch = watch
        self._outage = DatabaseOutage()
        self._told: dict[tuple[str, str], str] = {}
        self._due = asyncio.Event()

    # ---- reports ----

    async def reports(self) -> None:
        while True:
            batch = await self._batch()
            while True:
                try:
                    taken = await asyncio.to_thread(self._work.intake.take, batch)
                except DatabaseAway as error:
                    # The broker keeps what is not acknowledged; these are kept here.
                    self._failed("intake", error)
                    await asyncio.sleep(_AGAIN_S)
                    continue
                break
            self._outage.worked("intake")
            self._watch.took(taken)
            for topic, reason in taken.refused:
                log.warning("report.refused", extra=fields(topic=topic, reason=reason.value))
            if taken.again:
                self._due.set()
            for delivery in batch:
                self._link.acknowledge(delivery)

    async def _batch(self) -> list[Delivery]:
        batch = [await self._link.next()]
        try:
            async with asyncio.timeout(_COMPANY_S):
                while len(batch) < BATCH_MAX:
                    batch.append(await self._link.next())
        except TimeoutError:
            pass  # it is full enough
        return batch

    # ---- ticks ----

    async def ticks(self) -> None:
        while True:
            try:
                for tenant in await asyncio.to_thread(self._work.tenants):
                    await self._tick(tenant)
                self._outage.worked("tick")
                self._watch.went_round()
            except DatabaseAway as error:
                self._failed("tick", error)
            await asyncio.sleep(self._work.tick_s)

    async def _tick(self, tenant: str) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            ticked = await asyncio.to_thread(self._work.tick, tenant)
        except OperatorError as error:  # a rollout that cannot be read: that chain's trouble alone
            self._failed("tick", error, tenant)
            return
        self._told.pop(("tick", tenant), None)
        self._watch.ticked(ticked, clock() - began)
        for rollout, move in ticked.moves:
            level = logging.WARNING if move.kind == "failed" else logging.INFO
            extra = fields(
                tenant=tenant,
                rollout_id=rollout.rollout.hex(),
                release=rollout.release,
                state=move.state.value,
                stage=move.stage,
                words=move.words[:300],
            )
            log.log(level, "rollout.moved", extra=extra)
        if ticked.told:
            self._due.set()

    # ---- publishing ----

    async def publishing(self) -> None:
        while True:
            await self._link.ready()
            try:
                for tenant in await asyncio.to_thread(self._work.tenants):
                    await self._publish(tenant)
                self._outage.worked("publish")
            except DatabaseAway as error:
                self._failed("publish", error)
            try:
                async with asyncio.timeout(self._work.tick_s):
                    await self._due.wait()
            except TimeoutError:
                pass  # the desk, or another controller, may have left something
            self._due.clear()

    async def _publish(self, tenant: str) -> None:
        while True:
            try:
                letters = await asyncio.to_thread(self._work.outbox.take, tenant, LETTERS_MAX)
            except OperatorError as error:  # the tenant's key is missing: that chain's trouble alone
                self._failed("publish", error, tenant)
                return
            self._told.pop(("publish", tenant), None)
            handed: list[Order] = []
            for letter in letters:
                if not self._link.retain(letter.topic, letter.message):
                    break
                handed.append(letter.order)
            if handed:
                await asyncio.to_thread(self._work.outbox.published, tenant, handed)
                self._watch.published(len(handed))
            if len(handed) < LETTERS_MAX:
                return

    def _failed(self, what: str, error: TopscoopError, tenant: str = "") -> None:
        self._watch.failed(what, error)
        if isinstance(error, DatabaseAway):
            self._outage.failed(what, error)
        elif self._told.get((what, tenant)) != str(error):
            self._told[what, tenant] = str(error)
            extra = fields(what=what, tenant=tenant, error=str(error), remedy=error.remedy)
            log.error("rollout.waiting", extra=extra)
