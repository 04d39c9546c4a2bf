"""Looks into the bucket again and again, and forgets the rows of what is over."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from cloud.intake.look import Looked
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

FORGET_EVERY_S: Final = 60.0


class Watch(Protocol):
    """Who shows how the looks go."""

    def looked(self, looked: Looked) -> None:
        """A look was taken; some of its steps may have failed."""

    def look_failed(self, error: TopscoopError) -> None:
        """The bucket or the database are away."""

    def forgot(self, count: int) -> None:
        """So many rows are gone."""

    def forget_failed(self, error: TopscoopError) -> None:
        """The database is away."""


async def keep_looking(look: Callable[[], Looked], watch: Watch, every_s: float) -> None:
    """Until cancelled."""
    while True:
        try:
            looked = await asyncio.to_thread(look)
        except TopscoopError as error:
            watch.look_failed(error)
        else:
            watch.looked(looked)
        await asyncio.sleep(every_s)


async def keep_forgetting(
    forget: Callable[[str, int], int],
    tenants: Callable[[], list[str]],
    clock: Callable[[], int],
    watch: Watch,
    every_s: float = FORGET_EVERY_S,
) -> None:
    """Delete what is over, chain by chain, until cancelled.

    Args:
        forget: Deletes a chain's rows that are over at this time, and says how many.
        tenants: Lists the chains.
        clock: Milliseconds since 1970-01-01 UTC.
        watch: Counts.
        every_s: Pause between two rounds.
    """
    while True:
        try:
            for tenant in await asyncio.to_thread(tenants):
                count = await asyncio.to_thread(forget, tenant, clock())
                watch.forgot(count)
                if count:
                    log.info("uploads.forgotten", extra=fields(tenant=tenant, rows=count))
        except TopscoopError as error:
            watch.forget_failed(error)
        await asyncio.sleep(every_s)
