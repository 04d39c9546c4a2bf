"""The tasks of the keeper's process; where one dies, the process ends and is started again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloud.collector.ports import Link
from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage
from cloud.privacy.keeper import BATCH, Keeper
from daemon.log_fields import fields
from wire_protocol.errors import OperatorError, RefusedMessage, TopscoopError
from wire_protocol.topics import Topic

log = logging.getLogger(__name__)


class FromThreads:
    """Publishes from any thread over a link that belongs to the event loop.

    Args:
        link: Of this loop.
        loop: The one that runs.
    """

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop

    def publish(self, topic: Topic, message: bytes) -> None:
        """As `Link`, a moment later."""
        self._loop.call_soon_threadsafe(self._link.publish, topic, message)


class Watch(Protocol):
    """Who counts and shows what the keeper does."""

    def did(self, what: str, count: int) -> None:
        """A step went well: `blanks` sent, consents erased (`erasure`) or ended (`retention`), a chore."""

    def refused(self, reason: str) -> None:
        """A report was refused."""

    def failed(self, what: str, error: TopscoopError) -> None:
        """A step could not be done; it is tried again."""

    def went_round(self, what: str) -> None:
        """A look at every tenant went without a failure."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the keeper looks; seconds."""

    erase_every_s: float
    retention_every_s: float


@dataclass(frozen=True, slots=True)
class Chore:
    """One more thing that is done for each tenant in turn.

    Attributes:
        step: Given a tenant, says how much it did; `BATCH` and more: at once again.
    """

    what: str
    step: Callable[[str], int]
    every_s: float


async def run_keeper(  # noqa: PLR0917 - the parts that it works with
    keeper: Keeper,
    link: Link,
    tenants: Callable[[], list[str]],
    pace: Pace,
    watch: Watch,
    chores: Sequence[Chore] = (),
) -> None:
    """Until cancelled."""
    troubles = Troubles(watch)
    async with asyncio.TaskGroup() as group:
        group.create_task(_reports(keeper, link, troubles), name="keeper reports")
        for chore in (
            Chore("erasure", keeper.erase, pace.erase_every_s),
            Chore("retention", keeper.retention, pace.retention_every_s),
            *chores,
        ):
            regularly = _regularly(chore.what, chore.step, tenants, chore.every_s, troubles)
            group.create_task(regularly, name=f"keeper {chore.what}")


class Troubles:
    """Steps that cannot be done: each is counted, and told once until it can be done again."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._told: dict[tuple[str, str], str] = {}
        self._database = DatabaseOutage()

    def failed(self, what: str, error: TopscoopError, tenant: str = "", **where: str) -> None:
        """A store that is away comes back; a wrong set-up asks for a person."""
        self.watch.failed(what, error)
        if isinstance(error, DatabaseAway):
            self._database.failed(f"{what} {tenant}".strip(), error)
            return
        if self._told.get((what, tenant)) == str(error):
            return
        self._told[what, tenant] = str(error)
        level = logging.ERROR if isinstance(error, OperatorError) else logging.WARNING
        extra = fields(what=what, error=str(error), remedy=error.remedy, tenant=tenant, **where)
        log.log(level, "keeper.waiting", extra=extra)

    def worked(self, what: str, tenant: str = "") -> None:
        """It can be done."""
        self._database.worked(f"{what} {tenant}".strip())
        if self._told.pop((what, tenant), None) is not None:
            log.info("keeper.resumed", extra=fields(what=what, tenant=tenant))


async def _reports(keeper: Keeper, link: Link, troubles: Troubles) -> None:
    while True:
        delivery = await link.next()
        topic = delivery.topic[:120]
        try:
            troubles.watch.did(
                "blanks", await asyncio.to_thread(keeper.hear, delivery.topic, delivery.payload)
            )
            troubles.worked("blanks")
        except RefusedMessage as error:
            log.warning("report.refused", extra=fields(topic=topic, reason=error.reason.value))
            troubles.watch.refused(error.reason.value)
        except TopscoopError as error:
            # The register reports again in minutes; nothing would be won by keeping this one.
            troubles.failed("blanks", error, topic=topic)
        link.acknowledge(delivery)


async def _regularly(
    what: str,
    step: Callable[[str], int],
    tenants: Callable[[], list[str]],
    every_s: float,
    troubles: Troubles,
) -> None:
    """Take a step for each tenant in turn; at once again where a whole batch was done."""
    while True:
        counts: list[int | None] = []
        try:
            listed = await asyncio.to_thread(tenants)
            troubles.worked(what)
            counts = [await _step(what, step, tenant, troubles) for tenant in listed]
        except TopscoopError as error:
            troubles.failed(what, error)
            counts.append(None)
        if None not in counts:
            troubles.watch.went_round(what)
        if not any(count is not None and count >= BATCH for count in counts):
            await asyncio.sleep(every_s)


async def _step(what: str, step: Callable[[str], int], tenant: str, troubles: Troubles) -> int | None:
    """What was done for one tenant; None where it failed, which is no other tenant's trouble."""
    try:
        count = await asyncio.to_thread(step, tenant)
    except TopscoopError as error:
        troubles.failed(what, error, tenant)
        return None
    troubles.worked(what, tenant)
    troubles.watch.did(what, count)
    return count
