"""Who may send, read from the database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from cloud.collector.values import RegisterRecord, TenantRecord
from cloud.database.engine import Database
from cloud.database.schema import register_keys, registers, service_keys, tenants
from cloud.database.tills import SERVICE
from cloud.service_keys import Purpose
from wire_protocol.envelope import KeyRecord
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.topics import Identity

R = TypeVar("R")


class SqlDirectory:
    """Tenants, registers and their public keys.

    Args:
        database: With the tables of `cloud.database.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[tuple[int, bytes], VerificationKey] = {}
        """Points of curves that were checked once; a register's key does not change."""

    async def tenants(self) -> Sequence[str]:
        """As the port says."""
        return await asyncio.to_thread(self._database.tenants)

    async def tenant(self, tenant: str) -> TenantRecord | None:
        """As the port says."""

        def read(c: Connection) -> TenantRecord | None:
            row = c.execute(select(tenants).where(tenants.c.tenant == tenant)).one_or_none()
            if row is None:
                return None
            keys = c.execute(
                select(service_keys).where(
                    service_keys.c.tenant == tenant, service_keys.c.purpose == Purpose.CONSENT.value
                )
            )
            return TenantRecord(
                tenant=tenant,
                frames_per_day=row.frames_per_day,
                bytes_per_day=row.bytes_per_day,
                messages_per_minute=row.messages_per_minute,
                retention_days=row.retention_days,
                consent_keys={key.kid: self._record(key) for key in keys},
            )

        return await self._read(tenant, read)

    async def registers(self, tenant: str, names: Sequence[str]) -> Mapping[str, RegisterRecord]:
        """As the port says."""

        def read(c: Connection) -> Mapping[str, RegisterRecord]:
            keys: dict[str, dict[bytes, KeyRecord]] = {}
            for key in c.execute(
                select(register_keys).where(
                    register_keys.c.tenant == tenant, register_keys.c.register.in_(names)
                )
            ):
                keys.setdefault(key.register, {})[key.kid] = self._record(key)
            found = c.execute(
                select(registers.c.register, registers.c.store, registers.c.state).where(
                    registers.c.tenant == tenant,
                    registers.c.register.in_(names),
                    registers.c.state.in_(("enrolled", "revoked", SERVICE)),
                )
            )
            return {
                row.register: RegisterRecord(
                    identity=Identity(tenant, row.register),
                    store=row.store,
                    revoked=row.state == "revoked",
                    keys=keys.get(row.register, {}),
                )
                for row in found
            }

        return await self._read(tenant, read)

    async def _read(self, tenant: str, work: Callable[[Connection], R]) -> R:
        def run() -> R:
            with self._database.tenant(tenant, read_only=True) as connection:
                return work(connection)

        return await asyncio.to_thread(run)

    def _record(self, row: Any) -> KeyRecord:
        name = (row.algorithm, row.public)
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = VerificationKey(Algorithm(row.algorithm), row.public)
        until_ms = TIME_MAX_MS if row.valid_until_ms is None else row.valid_until_ms
        return KeyRecord(key, row.valid_from_ms, until_ms)
