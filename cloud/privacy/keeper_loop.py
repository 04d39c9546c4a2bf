"""The tasks of the keeper's process; where one dies, the process ends and is started again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from cloud.collector.ports import Link
from cloud.log_fields import fields
from cloud.privacy.keeper import BATCH, Keeper
from wire_protocol.errors import OperatorError, RefusedMessage, TopscoopError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the keeper looks; seconds."""

    erase_every_s: float
    retention_every_s: float


async def run_keeper(keeper: Keeper, link: Link, tenants: Callable[[], list[str]], pace: Pace) -> None:
    """Until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_reports(keeper, link), name="keeper reports")
        group.create_task(
            _regularly("erasure", keeper.erase, tenants, pace.erase_every_s), name="keeper erasure"
        )
        group.create_task(
            _regularly("retention", keeper.retention, tenants, pace.retention_every_s),
            name="keeper retention",
        )


async def _reports(keeper: Keeper, link: Link) -> None:
    while True:
        delivery = await link.next()
        try:
            await asyncio.to_thread(keeper.report, delivery.topic, delivery.payload)
        except RefusedMessage as error:
            log.warning("report.refused", extra=fields(topic=delivery.topic[:120], reason=error.reason.value))
        except TopscoopError as error:
            # The register reports again in minutes; nothing would be won by keeping this one.
            _complain("reports", error, topic=delivery.topic[:120])
        link.acknowledge(delivery)


async def _regularly(
    what: str, step: Callable[[str], int], tenants: Callable[[], list[str]], every_s: float
) -> None:
    """Take a step for each tenant in turn; at once again where a whole batch was done."""
    while True:
        more = False
        try:
            for tenant in await asyncio.to_thread(tenants):
                more |= await _step(what, step, tenant)
        except TopscoopError as error:
            _complain(what, error)
        if not more:
            await asyncio.sleep(every_s)


async def _step(what: str, step: Callable[[str], int], tenant: str) -> bool:
    """One tenant's trouble is no other's."""
    try:
        return await asyncio.to_thread(step, tenant) >= BATCH
    except TopscoopError as error:
        _complain(what, error, tenant=tenant)
        return False


def _complain(what: str, error: TopscoopError, **where: str) -> None:
    """A store that is away comes back; a wrong set-up asks for a person."""
    level = logging.ERROR if isinstance(error, OperatorError) else logging.WARNING
    log.log(level, "keeper.waiting", extra=fields(what=what, error=str(error), remedy=error.remedy, **where))
