"""Sessions in the database: any process of the API knows them, and ending one ends it everywhere."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from cloud.database.schema import api_clients, api_issuers, api_sessions, device_grants
from cloud.identity.encoding import base64url
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.cookies import SECRET_BYTES, session_of

SEEN_EVERY_MS: Final = 60_000
"""How exactly the time of the newest request is kept: not every request writes."""
_CLEANED_MAX: Final = 100
"""Expired rows that go with each new one: they cannot pile up, and nobody waits for many."""
_ROW = api_sessions.c


_FIND: Final = (
    select(_ROW.kind, _ROW.user, _ROW.csrf, _ROW.seen_at_ms, _ROW.issuer)
    .outerjoin(api_issuers, and_(api_issuers.c.tenant == _ROW.tenant, api_issuers.c.issuer == _ROW.issuer))
    .outerjoin(api_clients, and_(api_clients.c.tenant == _ROW.tenant, api_clients.c.client == _ROW.client))
    .where(
        _ROW.tenant == bindparam("tenant"),
        _ROW.session == bindparam("session"),
        _ROW.ends_at_ms > bindparam("now_ms"),
        _ROW.kind.in_(bindparam("kinds", expanding=True)),
        or_(_ROW.kind != str(CallerKind.BROWSER), _ROW.seen_at_ms > bindparam("idle_since_ms")),
        or_(
            _ROW.issuer.is_(None),
            and_(api_issuers.c.issuer.is_not(None), api_issuers.c.removed_at_ms.is_(None)),
        ),
        or_(
            _ROW.client.is_(None),
            and_(api_clients.c.client.is_not(None), api_clients.c.removed_at_ms.is_(None)),
        ),
    )
)
"""Made once: every request asks it, and making it takes as long as the database does to answer."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """Who shall have one; `issuer` and `client` end it when they are removed."""

    user: bytes
    kind: CallerKind
    life_ms: int
    issuer: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that has not ended."""

    caller: Caller
    issuer: str | None
    seen_at_ms: int


def open_session(connection: Connection, tenant: str, wanted: NewSession, now_ms: int) -> str:
    """A new session; its secret, which is nowhere else (43 characters).

    Check 37: always a new id, whatever the client held before (no fixation).
    """
    _clean(connection, api_sessions, _ROW.session, tenant, now_ms)
    secret = base64url(secrets.token_bytes(SECRET_BYTES))
    connection.execute(
        insert(api_sessions).values(
            tenant=tenant,
            session=session_of(secret),
            kind=str(wanted.kind),
            user=wanted.user,
            issuer=wanted.issuer,
            client=wanted.client,
            csrf=secrets.token_bytes(SECRET_BYTES) if wanted.kind is CallerKind.BROWSER else None,
            created_at_ms=now_ms,
            seen_at_ms=now_ms,
            ends_at_ms=now_ms + wanted.life_ms,
        )
    )
    return secret


def find_session(
    connection: Connection,
    tenant: str,
    secret: str,
    kinds: frozenset[CallerKind],
    *,
    now_ms: int,
    idle_ms: int,
) -> FoundSession | None:
    """Whose secret this is, in this chain; None where it is over, never was, or is of another kind.

    Check 38: it ends with its time, with `idle_ms` of a browser's silence, and with the provider or client
    that vouched: from the next request on, whoever removed them.
    """
    session = session_of(secret)
    if session is None:
        return None
    wanted = {
        "tenant": tenant,
        "session": session,
        "kinds": [str(one) for one in kinds],
        "now_ms": now_ms,
        "idle_since_ms": now_ms - idle_ms,
    }
    row = connection.execute(_FIND, wanted).first()
    if row is None:
        return None
    caller = Caller(tenant, row.user, CallerKind(row.kind), session, row.csrf)
    return FoundSession(caller, row.issuer, row.seen_at_ms)


def saw_session(connection: Connection, tenant: str, session: bytes, now_ms: int) -> None:
    """Somebody was there."""
    connection.execute(
        update(api_sessions).where(_ROW.tenant == tenant, _ROW.session == session).values(seen_at_ms=now_ms)
    )


def issuer_of(connection: Connection, tenant: str, session: bytes) -> str | None:
    """Who vouched for a session."""
    statement = select(_ROW.issuer).where(_ROW.tenant == tenant, _ROW.session == session)
    return connection.execute(statement).scalar_one_or_none()


def end_session(connection: Connection, tenant: str, session: bytes) -> None:
    """End one; what is gone stays gone."""
    connection.execute(delete(api_sessions).where(_ROW.tenant == tenant, _ROW.session == session))


def end_sessions_of(connection: Connection, tenant: str, user: bytes) -> int:
    """End all of a person's sessions, and devices that wait for a token of theirs; how many sessions."""
    grants = device_grants.c
    connection.execute(delete(device_grants).where(grants.tenant == tenant, grants.user == user))
    return connection.execute(delete(api_sessions).where(_ROW.tenant == tenant, _ROW.user == user)).rowcount


def _clean(connection: Connection, table: Any, key: Any, tenant: str, now_ms: int) -> None:
    over = select(key).where(table.c.tenant == tenant, table.c.ends_at_ms <= now_ms).limit(_CLEANED_MAX)
    connection.execute(delete(table).where(table.c.tenant == tenant, key.in_(over)))
