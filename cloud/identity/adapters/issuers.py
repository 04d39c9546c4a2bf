"""Identity providers whose people a chain lets in; our secrets there are files (`secret_files`)."""

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database.audit_log import write_audit
from cloud.database.schema import api_issuers, api_sessions, device_grants
from cloud.identity.values import Issuer

_ROW = api_issuers.c
_COLUMNS = (_ROW.issuer, _ROW.client_id, _ROW.label, _ROW.audience, _ROW.token_endpoint)


def list_issuers(connection: Connection, tenant: str) -> list[Issuer]:
    """A chain's providers, by label; without secrets."""
    statement = (
        select(*_COLUMNS)
        .where(_ROW.tenant == tenant, _ROW.removed_at_ms.is_(None))
        .order_by(_ROW.label, _ROW.issuer)
    )
    return [_issuer(row) for row in connection.execute(statement)]


def put_issuer(connection: Connection, tenant: str, issuer: Issuer, now_ms: int, *, actor: str) -> None:
    """Add a provider, or give one that was there before these values."""
    values = {
        "label": issuer.label,
        "client_id": issuer.client_id,
        "audience": issuer.audience,
        "token_endpoint": issuer.token_endpoint,
        "removed_at_ms": None,
    }
    place = (_ROW.tenant == tenant, _ROW.issuer == issuer.issuer)
    if not connection.execute(update(api_issuers).where(*place).values(values)).rowcount:
        connection.execute(
            insert(api_issuers).values(tenant=tenant, issuer=issuer.issuer, added_at_ms=now_ms, **values)
        )
    write_audit(
        connection,
        tenant,
        now_ms,
        actor=actor,
        action="issuer.added",
        subject=issuer.issuer,
        detail={"client_id": issuer.client_id, "audience": issuer.audience},
    )


def remove_issuer(connection: Connection, tenant: str, issuer: str, now_ms: int, *, actor: str) -> bool:
    """End a provider and, at once, every session that it vouched for; False where it was not there."""
    gone = connection.execute(
        update(api_issuers)
        .where(_ROW.tenant == tenant, _ROW.issuer == issuer, _ROW.removed_at_ms.is_(None))
        .values(removed_at_ms=now_ms)
    ).rowcount
    if not gone:
        return False
    for table in (api_sessions, device_grants):
        connection.execute(delete(table).where(table.c.tenant == tenant, table.c.issuer == issuer))
    write_audit(connection, tenant, now_ms, actor=actor, action="issuer.removed", subject=issuer)
    return True


def _issuer(row: tuple[str, str, str, str | None, str | None]) -> Issuer:
    issuer, client_id, label, audience, token_endpoint = row
    return Issuer(issuer, client_id, None, label, audience, token_endpoint)
