"""What outlives every process of the cloud, beside bucket, ledger and vault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cloud.collector.acceptance import object_key
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.values import RegisterRecord, State, TenantRecord
from cloud.privacy.erasure_plan import Proof, Source, Withdrawal, proof_of
from tests.simulation.world.loop import VirtualLoop
from wire_protocol.topics import Identity


class Clock:
    """The cloud's time.

    Args:
        epoch_ms: At virtual time 0.
    """

    def __init__(self, loop: VirtualLoop, epoch_ms: int) -> None:
        self._loop = loop
        self._epoch_ms = epoch_ms

    def now_ms(self) -> int:
        return self._epoch_ms + round(self._loop.time() * 1000)


@dataclass
class MemoryDirectory:
    """`cloud.collector.ports.Directory`."""

    tenant_records: dict[str, TenantRecord]
    register_records: dict[Identity, RegisterRecord]

    async def tenant(self, tenant: str) -> TenantRecord | None:
        return self.tenant_records.get(tenant)

    async def tenants(self) -> Sequence[str]:
        return list(self.tenant_records)

    async def registers(self, tenant: str, registers: Sequence[str]) -> Mapping[str, RegisterRecord]:
        found = {name: self.register_records.get(Identity(tenant, name)) for name in registers}
        return {name: record for name, record in found.items() if record is not None}

    def revoke(self, identity: Identity) -> None:
        """From now on."""
        self.register_records[identity] = replace(self.register_records[identity], revoked=True)


class MemoryRecords:
    """What the keeper does to the rows of withdrawals, over the collector's ledger."""

    def __init__(self, ledger: MemoryLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._rows: dict[tuple[str, bytes], Withdrawal] = {}

    def withdraw(self, tenant: str, consent: bytes) -> None:
        """An operator ends a consent, known or not."""
        self._ledger.withdrawals.setdefault((tenant, consent), self._clock.now_ms())

    def unfinished(self, tenant: str) -> list[Withdrawal]:
        return [row for row in self._all(tenant) if not row.erased]

    def untold(self, tenant: str) -> list[Withdrawal]:
        return [row for row in self._all(tenant) if row.erased and row.told_register_at_ms is None]

    def mark_told(self, tenant: str, told: Sequence[bytes]) -> None:
        for consent in told:
            row = self._rows[tenant, consent]
            self._rows[tenant, consent] = replace(row, told_register_at_ms=self._clock.now_ms())

    def outstanding(self, tenant: str, blanks: Sequence[bytes]) -> int:
        """How many of a register's living keys nobody has filled yet."""
        return sum((tenant, blank) not in self._ledger.consents for blank in blanks)

    # ---- cloud.privacy.erasure.ErasureRecords -------------------------------------------------------------

    def mark_key_destroyed(self, tenant: str, consent: bytes, now_ms: int) -> None:
        row = self._rows[tenant, consent]
        if row.key_destroyed_at_ms is None:
            self._rows[tenant, consent] = replace(row, key_destroyed_at_ms=now_ms)

    def object_keys(self, tenant: str, consent: bytes) -> Sequence[str]:
        keys = {
            frame.object_key
            for (owner, _, _), frame in self._ledger.frames.items()
            if owner == tenant and frame.consent == consent
        }
        fact = self._ledger.consents.get((tenant, consent))
        if fact is not None:
            keys.add(object_key(tenant, fact.interaction))
        return sorted(keys)

    def versions_of(self, tenant: str, key: str) -> Mapping[str, bytes]:
        return {
            frame.version: frame.consent
            for (owner, _, _), frame in self._ledger.frames.items()
            if owner == tenant and frame.object_key == key
        }

    def mark_erased(self, tenant: str, consent: bytes, versions_deleted: int, now_ms: int) -> Proof:
        row = self._rows[tenant, consent]
        if row.versions_deleted_at_ms is None:
            row = replace(row, versions_deleted_at_ms=now_ms, versions_deleted=versions_deleted)
            self._rows[tenant, consent] = row
        for key, frame in self._ledger.frames.items():
            if key[0] == tenant and frame.consent == consent:
                self._ledger.rows[key] = replace(self._ledger.rows[key], state=State.GONE, version=None)
        return proof_of(row)

    def erased(self) -> list[tuple[str, bytes]]:
        """All whose erasure is finished."""
        return [key for key, row in self._rows.items() if row.erased]

    def _all(self, tenant: str) -> list[Withdrawal]:
        for (owner, consent), at_ms in self._ledger.withdrawals.items():
            if (owner, consent) not in self._rows:
                self._rows[owner, consent] = Withdrawal(
                    owner, consent, Source.REGISTER, at_ms, self._clock.now_ms()
                )
        return [row for (owner, _), row in self._rows.items() if owner == tenant]
