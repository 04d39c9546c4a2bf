"""Looking at every chain's repository again and again: a coroutine of the rollout controller's process."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from cloud.database.engine import Database
from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage
from cloud.releases.errors import NothingTrusted
from cloud.releases.look import look
from cloud.releases.ports import ReleaseFiles
from daemon.log_fields import fields

log = logging.getLogger(__name__)


class Watch(Protocol):
    """Who counts."""

    def looked(self, *, well: bool) -> None:
        """A repository was looked at; whether it could be verified."""

    def changed(self, what: str, count: int) -> None:
        """So many releases were `listed` or `withdrawn`."""


async def look_after_releases(
    database: Database,
    files: ReleaseFiles,
    *,
    every_s: float,
    clock: Callable[[], int],
    watch: Watch,
    looked: asyncio.Event | None = None,
) -> None:
    """Look at every chain that trusts a root, in turn, until cancelled.

    What is wrong with one chain's repository is that chain's trouble alone; a database that is away is waited
    for.

    Args:
        database: Of the cloud.
        files: Where repositories lie.
        every_s: Pause between two rounds; `releases.look_every_s`.
        clock: Milliseconds since 1970-01-01 UTC.
        watch: Counts.
        looked: Is set after each round.
    """
    rounds = _Rounds(database, files, clock, watch)
    outage = DatabaseOutage()
    while True:
        try:
            for tenant in await asyncio.to_thread(database.tenants):
                await rounds.look(tenant)
        except DatabaseAway as error:
            outage.failed("releases", error)
        else:
            outage.worked("releases")
        if looked is not None:
            looked.set()
        await asyncio.sleep(every_s)


class _Rounds:
    """One chain after the other; trouble is told once, and when it is over."""

    def __init__(
        self, database: Database, files: ReleaseFiles, clock: Callable[[], int], watch: Watch
    ) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._watch = watch
        self._told: dict[str, str | None] = {}

    async def look(self, tenant: str) -> None:
        try:
            found = await asyncio.to_thread(look, self._database, self._files, tenant, self._clock())
        except NothingTrusted:
            return  # a chain without releases
        self._watch.looked(well=found.problem is None)
        for event, what, numbers in (
            ("release.listed", "listed", found.listed + found.again),
            ("release.withdrawn", "withdrawn", found.withdrawn),
        ):
            self._watch.changed(what, len(numbers))
            for number in numbers:
                log.info(event, extra=fields(tenant=tenant, release=number))
        if tenant in self._told and self._told[tenant] == found.problem:
            return
        self._told[tenant] = found.problem
        if found.problem is not None:
            log.warning("releases.problem", extra=fields(tenant=tenant, problem=found.problem))
        else:
            log.info("releases.verified", extra=fields(tenant=tenant))
