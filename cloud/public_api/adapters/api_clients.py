"""Machines with credentials of our own (RFC 6749, 4.4)."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database.audit_log import write_audit
from cloud.database.schema import api_clients, api_sessions
from cloud.identity.encoding import base64url

_ROW = api_clients.c
_NOBODY: Final = bytes(32)
_ID_BYTES: Final = 8
_ID: Final = re.compile(rf"[0-9a-f]{{{2 * _ID_BYTES}}}\Z")


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A machine that may ask for tokens."""

    client: str
    name: str
    added_at_ms: int


def add_client(
    connection: Connection, tenant: str, name: str, now_ms: int, *, actor: str
) -> tuple[ApiClient, str]:
    """A new client and its secret, which is nowhere else. Its id is never given again."""
    made = ApiClient(secrets.token_hex(_ID_BYTES), name, now_ms)
    secret = base64url(secrets.token_bytes(32))
    connection.execute(
        insert(api_clients).values(
            tenant=tenant,
            client=made.client,
            name=name,
            secret_sha256=hashlib.sha256(secret.encode()).digest(),
            added_at_ms=now_ms,
        )
    )
    write_audit(connection, tenant, now_ms, actor=actor, action="api-client.added", subject=made.client)
    return made, secret


def list_clients(connection: Connection, tenant: str) -> list[ApiClient]:
    """A chain's clients, by name."""
    statement = (
        select(_ROW.client, _ROW.name, _ROW.added_at_ms)
        .where(_ROW.tenant == tenant, _ROW.removed_at_ms.is_(None))
        .order_by(_ROW.name, _ROW.client)
    )
    return [ApiClient(*row) for row in connection.execute(statement)]


def remove_client(connection: Connection, tenant: str, client: str, now_ms: int, *, actor: str) -> bool:
    """End a client and its tokens at once; False where it was not there."""
    gone = connection.execute(
        update(api_clients)
        .where(_ROW.tenant == tenant, _ROW.client == client, _ROW.removed_at_ms.is_(None))
        .values(removed_at_ms=now_ms)
    ).rowcount
    if not gone:
        return False
    tokens = api_sessions.c
    connection.execute(delete(api_sessions).where(tokens.tenant == tenant, tokens.client == client))
    write_audit(connection, tenant, now_ms, actor=actor, action="api-client.removed", subject=client)
    return True


def knows_client(connection: Connection, tenant: str, client: str, secret: str) -> bool:
    """Whether these are a client's credentials, in a time that tells nothing of either (check 46).

    A secret has 256 random bits, so that its plain hash is enough.
    """
    # Whatever somebody sends is no id of ours; PostgreSQL would fail on a text with a zero byte.
    asked = client if _ID.match(client) else ""
    statement = select(_ROW.secret_sha256).where(
        _ROW.tenant == tenant, _ROW.client == asked, _ROW.removed_at_ms.is_(None)
    )
    known = connection.execute(statement).scalar_one_or_none()
    given = hashlib.sha256(secret.encode(errors="replace")).digest()
    return hmac.compare_digest(given, _NOBODY if known is None else known) and known is not None
