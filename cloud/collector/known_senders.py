"""Tenants, registers and their keys, remembered for so short a time that a revocation acts in seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.collector.ports import Directory
from cloud.collector.values import RegisterRecord, TenantRecord

KEPT_MS: Final = 2_000
REMEMBERED: Final = 10_000
"""Registers; beyond it, all are forgotten and asked for again."""


@dataclass(frozen=True, slots=True)
class Senders:
    """A tenant and those of its registers that were asked for and are known."""

    tenant: TenantRecord | None
    registers: Mapping[str, RegisterRecord]


class KnownSenders:
    """A directory's answers, two seconds old at most."""

    def __init__(self, directory: Directory, kept_ms: int = KEPT_MS) -> None:
        self._directory = directory
        self._kept_ms = kept_ms
        self._tenants: dict[str, tuple[int, TenantRecord | None]] = {}
        self._registers: dict[tuple[str, str], tuple[int, RegisterRecord | None]] = {}

    async def of(
        self, tenant: str, registers: Sequence[str], now_ms: int, *, afresh: bool = False
    ) -> Senders:
        """Who these are now.

        Args:
            tenant: Their tenant.
            registers: Their names.
            now_ms: By the cloud's clock.
            afresh: Ask, whatever is remembered; before something is refused for what was not known.

        Raises:
            DatabaseAway: And what is remembered is too old.
        """
        oldest_ms = now_ms if afresh else now_ms - self._kept_ms
        asked_ms, record = self._tenants.get(tenant, (-1, None))
        if not oldest_ms < asked_ms <= now_ms:
            record = await self._directory.tenant(tenant)
            self._tenants[tenant] = (now_ms, record)
        stale = [
            register
            for register in dict.fromkeys(registers)
            if not oldest_ms < self._registers.get((tenant, register), (-1, None))[0] <= now_ms
        ]
        if stale:
            found = await self._directory.registers(tenant, stale)
            if len(self._registers) > REMEMBERED:
                self._registers.clear()
            for register in stale:
                self._registers[tenant, register] = (now_ms, found.get(register))
        known = ((name, self._registers.get((tenant, name), (0, None))[1]) for name in registers)
        return Senders(record, {name: register for name, register in known if register is not None})
