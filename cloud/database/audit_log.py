"""The record of who did what; services may add to it, and neither change nor delete from it."""

import secrets
from collections.abc import Mapping

from sqlalchemy import Connection, insert

from cloud.database.schema import audit
from wire_protocol.identifiers import uuid7


def write_audit(
    connection: Connection,
    tenant: str,
    now_ms: int,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add one entry, within the transaction of what it records.

    Args:
        connection: Of the tenant.
        tenant: Whose record.
        now_ms: Now.
        actor: Who: `operator:NAME`, `keeper`, `register:ID`.
        action: A stable name such as `tenant.added`.
        subject: On what; ids only, nothing personal.
        detail: Further values as JSON has them; nothing personal.
    """
    connection.execute(
        insert(audit).values(
            tenant=tenant,
            entry=uuid7(now_ms, secrets.token_bytes(10)).bytes,
            at_ms=now_ms,
            actor=actor[:200],
            action=action,
            subject=subject[:200],
            detail=dict(detail or {}),
        )
    )
