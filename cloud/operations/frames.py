"""Finding stored frames by their rows; opening them is `cloud.privacy.opening`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, select

from cloud.database.engine import Database
from cloud.database.schema import frames
from cloud.privacy.errors import UnknownFrame

PAGE: Final = 500
"""Rows of one transaction: a long list holds no lock and no memory."""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A row of `frames`."""

    tenant: str
    register: str
    message_id: bytes
    interaction: bytes
    consent: bytes
    object_key: str
    version: str
    size: int
    captured_at_ms: int
    stored_at_ms: int
    expires_at_ms: int
    erased_at_ms: int | None

    def plain(self) -> Mapping[str, Any]:
        """For JSON: ids as hexadecimal digits, times as UTC."""
        return {
            "frame": self.message_id.hex(),
            "tenant": self.tenant,
            "register": self.register,
            "interaction": self.interaction.hex(),
            "consent": self.consent.hex(),
            "object_key": self.object_key,
            "version": self.version,
            "size": self.size,
            "captured_at": _utc(self.captured_at_ms),
            "stored_at": _utc(self.stored_at_ms),
            "expires_at": _utc(self.expires_at_ms),
            "erased_at": None if self.erased_at_ms is None else _utc(self.erased_at_ms),
        }


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames of a tenant; what is None does not matter.

    Args:
        register: Of which it is.
        consent: Under which it lies.
        since_ms, until_ms: When it was stored, `until_ms` excluded.
        erased: Also those that were erased.
    """

    register: str | None = None
    consent: bytes | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    erased: bool = False


def list_frames(database: Database, tenant: str, wanted: FrameFilter, limit: int) -> Iterator[StoredFrame]:
    """Frames by the time at which they were stored, page by page; raises DatabaseAway."""
    last: StoredFrame | None = None
    left = limit
    while left > 0:
        page = _page(database, tenant, wanted, last, min(left, PAGE))
        yield from page
        left -= len(page)
        if len(page) < PAGE:
            return
        last = page[-1]


def find_frame(database: Database, tenant: str, message_id: bytes) -> StoredFrame:
    """One frame by its message's id.

    Raises:
        UnknownFrame: There is none.
    """
    statement = select(frames).where(frames.c.tenant == tenant, frames.c.message_id == message_id)
    with database.tenant(tenant, read_only=True) as connection:
        row = connection.execute(statement).first()
    if row is None:
        raise UnknownFrame(
            f"{tenant} has no frame {message_id.hex()}", remedy="`topscoop cloud frames list` names them."
        )
    return _frame(row)


def _page(
    database: Database, tenant: str, wanted: FrameFilter, after: StoredFrame | None, limit: int
) -> list[StoredFrame]:
    row = frames.c
    statement = select(frames).where(row.tenant == tenant)
    if wanted.register is not None:
        statement = statement.where(row.register == wanted.register)
    if wanted.consent is not None:
        statement = statement.where(row.consent == wanted.consent)
    if wanted.since_ms is not None:
        statement = statement.where(row.stored_at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        statement = statement.where(row.stored_at_ms < wanted.until_ms)
    if not wanted.erased:
        statement = statement.where(row.erased_at_ms.is_(None))
    if after is not None:
        same_time = (row.stored_at_ms == after.stored_at_ms) & (row.message_id > after.message_id)
        statement = statement.where((row.stored_at_ms > after.stored_at_ms) | same_time)
    statement = statement.order_by(row.stored_at_ms, row.message_id).limit(limit)
    with database.tenant(tenant, read_only=True) as connection:
        return [_frame(found) for found in connection.execute(statement)]


def _frame(row: Row[Any]) -> StoredFrame:
    return StoredFrame(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
