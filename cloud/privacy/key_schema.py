"""The database of consent keys: apart from everything else, so that no backup holds keys and frames together.

Values of a row keep their lengths: SQLite overwrites a value of equal length where it stands, so a
destroyed key leaves no older copy in another page. A destroyed key is a row whose `wrapped` is zeros.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, String, Table

from cloud.database.schema_version import Schema
from cloud.privacy.wrapping import WRAPPED_BYTES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

consent_keys = Table(
    "consent_keys",
    metadata,
    Column("tenant", String(32), primary_key=True),
    Column("blank", LargeBinary(16), primary_key=True),  # UUID version 7
    Column("register", String(32), nullable=False),
    Column("day", String(10), nullable=False),  # of the day key, as 2026-11-22
    Column("wrapped", LargeBinary(WRAPPED_BYTES), nullable=False),  # the private half under the day key
    Column("issued_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),  # unless a consent was given on the blank
    Column("used", Boolean, nullable=False),
    Index(None, "tenant", "register", "issued_at_ms"),
    Index(None, "tenant", "used", "ends_at_ms"),
)

day_keys = Table(
    "day_keys",
    metadata,
    Column("tenant", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),  # under the master key
)

KEYS: Final = Schema("keys", metadata, Path(__file__).parent / "migrations" / "versions", owned=True)
"""On PostgreSQL the keeper's role owns it: only an owner may VACUUM, which is how destroyed keys vanish."""
