"""Who may send, read once from the cloud's database."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import select

from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.collector.values import RegisterRecord, TenantRecord
from cloud.database.engine import open_database
from cloud.database.schema import registers


@dataclass(frozen=True, slots=True)
class Senders:
    """A tenant and all of its registers."""

    tenant: TenantRecord
    registers: Mapping[str, RegisterRecord]

    @classmethod
    def read(cls, database: Path, tenant: str) -> Self:
        """From the collector's own tables."""
        with open_database(f"sqlite:///{database}") as opened:
            with opened.tenant(tenant, read_only=True) as connection:
                names = list(connection.execute(select(registers.c.register)).scalars())
            directory = SqlDirectory(opened)
            known = asyncio.run(directory.tenant(tenant))
            assert known is not None, f"{tenant} is enrolled"
            return cls(known, asyncio.run(directory.registers(tenant, names)))
