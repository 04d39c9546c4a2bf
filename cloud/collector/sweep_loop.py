"""Deletes versions that no row names: what a lost claim, a slow put or a crash left behind.

A version younger than `sweep_after_ms` is left alone: its message may still be finished or adopted. An older
one is nobody's, once an expired claim on its message was ended (`Ledger.condemn`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cloud.collector.object_storing import META_MESSAGE, META_REGISTER
from cloud.collector.ports import Clock, Directory, Ledger, Objects, Watch
from cloud.collector.values import Condemned
from cloud.errors import DatabaseAway
from cloud.objects.ports import ObjectsAway, StoreRefused, Version
from wire_protocol.envelope import MESSAGE_ID_BYTES

_CHUNK: Final = 500
"""Versions that one statement asks for."""
_THOROUGH_EVERY_MS: Final = 24 * 3600 * 1000


@dataclass(slots=True)
class Swept:
    """What one round found."""

    versions: int = 0
    deleted: int = 0


class Sweeper:
    """Looks through the days on which frames come in, and once a day through all of them.

    Args:
        sweep_after_ms: Age at which a version without a row is deleted.
    """

    def __init__(
        self,
        ledger: Ledger,
        objects: Objects,
        directory: Directory,
        clock: Clock,
        watch: Watch,
        *,
        sweep_after_ms: int,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._directory = directory
        self._clock = clock
        self._watch = watch
        self._sweep_after_ms = sweep_after_ms
        self._thorough_at_ms = 0

    async def run(self, every_s: float) -> None:
        """Sweep for ever; what is away is asked again in the next round."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.sweep()
            except (DatabaseAway, ObjectsAway, StoreRefused) as error:
                self._watch.failed("sweep.interrupted", "", error)

    async def sweep(self) -> Swept:
        """One round over all tenants.

        Raises:
            DatabaseAway: And the round is done again.
            ObjectsAway: As well.
        """
        now_ms = self._clock.now_ms()
        thorough = now_ms - self._thorough_at_ms >= _THOROUGH_EVERY_MS
        swept = Swept()
        for tenant in await self._directory.tenants():
            folders = await self._days(tenant) if thorough else recent_days(tenant, now_ms)
            for folder in folders:
                await self._sweep_folder(tenant, folder, now_ms, swept)
        if thorough:
            self._thorough_at_ms = now_ms
        return swept

    async def _days(self, tenant: str) -> list[str]:
        """Every folder that has frames: whatever clock a register has, its day is there."""
        folders = [f"frames/{tenant}/"]
        for _ in range(3):  # year, month, day
            folders = [
                inner
                for folder in folders
                for inner in (
                    [folder] if folder.endswith("/undated/") else await self._objects.folders(folder)
                )
            ]
        return folders

    async def _sweep_folder(self, tenant: str, folder: str, now_ms: int, swept: Swept) -> None:
        versions = await self._objects.versions(folder)
        swept.versions += len(versions)
        old = [version for version in versions if version.stored_at_ms < now_ms - self._sweep_after_ms]
        for start in range(0, len(old), _CHUNK):
            for version in await self._ledger.without_frame(tenant, old[start : start + _CHUNK]):
                swept.deleted += await self._sweep_version(tenant, version, now_ms)

    async def _sweep_version(self, tenant: str, version: Version, now_ms: int) -> bool:
        metadata = await self._objects.metadata(version.key, version.version)
        if metadata is None:
            return False
        try:
            message_id = bytes.fromhex(metadata[META_MESSAGE])
            register = metadata[META_REGISTER]
        except (KeyError, ValueError):
            return False  # not the collector's
        if len(message_id) != MESSAGE_ID_BYTES:
            return False
        condemned = Condemned(version.key, version.version, register, message_id)
        if not await self._ledger.condemn(tenant, condemned, now_ms):
            return False
        await self._objects.delete(version.key, version.version)
        self._watch.swept(version)
        return True


def recent_days(tenant: str, now_ms: int) -> Sequence[str]:
    """The folders of today, yesterday and tomorrow (clocks differ), which is where most frames go."""
    today = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    days = (today + timedelta(days=offset) for offset in (-1, 0, 1))
    return [*(f"frames/{tenant}/{day:%Y/%m/%d}/" for day in days), f"frames/{tenant}/undated/"]
