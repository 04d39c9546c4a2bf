"""Devices that wait until somebody approves them in a browser (RFC 8628)."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.schema import device_grants
from cloud.identity.encoding import base64url
from cloud.public_api.cookies import SECRET_BYTES, session_of
from cloud.public_api.user_codes import CODES, digest, user_code

LIFE_S: Final = 600
INTERVAL_S: Final = 5
_CLEANED_MAX: Final = 100
_TRIES: Final = 5
_ROW = device_grants.c


class Poll(StrEnum):
    """What a device is told."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    UNKNOWN = "invalid_grant"


@dataclass(frozen=True, slots=True)
class Approved:
    """Who approved, and who vouched for them."""

    user: bytes
    issuer: str | None


def begin_grant(connection: Connection, tenant: str, now_ms: int) -> tuple[str, str]:
    """A device code (256 bits) and a code for people; the database holds hashes of both."""
    over = (
        select(_ROW.device_code)
        .where(_ROW.tenant == tenant, _ROW.expires_at_ms <= now_ms)
        .limit(_CLEANED_MAX)
    )
    connection.execute(delete(device_grants).where(_ROW.tenant == tenant, _ROW.device_code.in_(over)))
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for _ in range(_TRIES):
        device_code = base64url(secrets.token_bytes(SECRET_BYTES))
        # Check 40 (RFC 8628, 5.1 and 6.1): 34 random bits, ten minutes, and few tries.
        code = user_code(secrets.randbelow(CODES))
        statement = dialect.insert(device_grants).values(
            tenant=tenant,
            device_code=session_of(device_code),
            user_code=digest(code),
            state="waiting",
            expires_at_ms=now_ms + LIFE_S * 1000,
        )
        if connection.execute(statement.on_conflict_do_nothing()).rowcount:
            return device_code, code
    raise AssertionError("20⁸ codes cannot all be taken")


def waits(connection: Connection, tenant: str, code: str, now_ms: int) -> bool:
    """Whether a device waits with this code."""
    statement = select(_ROW.state).where(*_waiting(tenant, code, now_ms))
    return connection.execute(statement).first() is not None


def answer_grant(
    connection: Connection, tenant: str, code: str, approved: Approved | None, now_ms: int
) -> bool:
    """Approve a device that waits, or refuse it; False where none does any more."""
    values = (
        {"state": "denied"}
        if approved is None
        else {"state": "approved", "user": approved.user, "issuer": approved.issuer}
    )
    statement = update(device_grants).where(*_waiting(tenant, code, now_ms)).values(values)
    return connection.execute(statement).rowcount == 1


def poll_grant(connection: Connection, tenant: str, device_code: str, now_ms: int) -> Approved | Poll:
    """What a device gets: who approved, once; else why not (RFC 8628, 3.5)."""
    key = session_of(device_code)
    if key is None:
        return Poll.UNKNOWN
    place = (_ROW.tenant == tenant, _ROW.device_code == key)
    # Check 43 (RFC 8628, 3.5): an approval is spent by one atomic statement, so it makes one token.
    spent = connection.execute(
        update(device_grants)
        .where(*place, _ROW.state == "approved", _ROW.expires_at_ms > now_ms)
        .values(state="spent")
        .returning(_ROW.user, _ROW.issuer)
    ).first()
    if spent is not None:
        return Approved(spent.user, spent.issuer)
    row = connection.execute(select(_ROW.state, _ROW.polled_at_ms, _ROW.expires_at_ms).where(*place)).first()
    if row is None or row.state == "spent":
        return Poll.UNKNOWN
    # Check 42 (RFC 8628, 3.5): after its time it is over, whoever approves it.
    if row.expires_at_ms <= now_ms:
        return Poll.EXPIRED
    if row.state == "denied":
        return Poll.DENIED
    connection.execute(update(device_grants).where(*place).values(polled_at_ms=now_ms))
    # Check 41 (RFC 8628, 3.5): who asks more often than every five seconds is told to slow down.
    early = row.polled_at_ms is not None and now_ms - row.polled_at_ms < INTERVAL_S * 1000
    return Poll.SLOW_DOWN if early else Poll.PENDING


def _waiting(tenant: str, code: str, now_ms: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _ROW.tenant == tenant,
        _ROW.user_code == digest(code),
        _ROW.state == "waiting",
        _ROW.expires_at_ms > now_ms,
    )
