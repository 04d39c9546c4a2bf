"""Tickets of signed URLs, as statements of the table `uploads` within a tenant's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.schema import uploads
from cloud.intake.values import Purpose, UploadProblem, UploadState

_row = uploads.c


@dataclass(frozen=True, slots=True)
class Ticket:
    """One upload as its owner may see it.

    Attributes:
        fingerprint: Of the request that made it; None where that had no Idempotency-Key.
    """

    request: bytes
    state: UploadState
    purpose: Purpose
    content_type: str
    content_length: int
    sha256: bytes
    issued_at_ms: int
    expires_at_ms: int
    arrived_at_ms: int | None
    ended_at_ms: int | None
    problem: UploadProblem | None
    deleted_at_ms: int | None
    fingerprint: bytes | None

    @classmethod
    def new(cls, values: Mapping[str, Any]) -> "Ticket":
        """What was just inserted."""
        known: dict[str, Any] = {name: values.get(name) for name in cls.__dataclass_fields__}
        known |= {"state": UploadState(values["state"]), "purpose": Purpose(values["purpose"])}
        return cls(**known)


_COLUMNS = tuple(_row[name] for name in Ticket.__dataclass_fields__)


def insert_ticket(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Add a ticket; False where one with its idempotency is there already, and nothing was added."""
    new: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = (
        new(uploads)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[_row.tenant, _row.idempotency])
        .returning(_row.request)
    )
    return connection.execute(statement).first() is not None


def read_ticket(connection: Connection, tenant: str, user: bytes, request: bytes) -> Ticket | None:
    """One's own upload; None where it is not there or somebody else's."""
    found = connection.execute(_own(tenant, user).where(_row.request == request)).first()
    return None if found is None else _ticket(found)


def read_by_idempotency(
    connection: Connection, tenant: str, user: bytes, idempotency: bytes
) -> Ticket | None:
    """The upload that this key made; None where there is none."""
    found = connection.execute(_own(tenant, user).where(_row.idempotency == idempotency)).first()
    return None if found is None else _ticket(found)


def _own(tenant: str, user: bytes) -> Select[Any]:
    return select(*_COLUMNS).where(_row.tenant == tenant, _row.user == user)


def _ticket(row: Row[Any]) -> Ticket:
    values = row._asdict()
    values["state"] = UploadState(values["state"])
    values["purpose"] = Purpose(values["purpose"])
    values["problem"] = None if values["problem"] is None else UploadProblem(values["problem"])
    return Ticket(**values)
