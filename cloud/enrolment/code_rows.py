"""One-time codes: how they are kept, and the one statement that uses one up.

Kept is `invitation ‖ SHA-256(label ‖ secret)[:27]`: the invitation finds the row, so that wrong tries can be
counted, and the hash finds the code. The first two bytes of the invitation tell the tenant apart.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database.schema import enrolment_codes as codes
from wire_protocol.enrolment_code import INVITATION_BYTES, SECRET_BYTES, EnrolmentCode

HINT_BYTES: Final = 2
RANDOM_BYTES: Final = SECRET_BYTES - HINT_BYTES
_HASH_BYTES: Final = 32
_LABEL: Final = b"topscoop/1/enrolment-secret\0"


class CodeState(StrEnum):
    """What became of a code that was presented; the values are the problem types of the answer."""

    ACCEPTED = "accepted"
    UNKNOWN = "code-unknown"
    EXPIRED = "code-expired"
    USED = "code-used"
    LOCKED = "code-locked"


@dataclass(frozen=True, slots=True)
class Presented:
    """The result of presenting a code.

    Attributes:
        register: Of the code; None where it is unknown.
        used_at_ms: When it was used, for one that is used.
    """

    state: CodeState
    register: str | None = None
    used_at_ms: int | None = None


def tenant_hint(tenant: str) -> bytes:
    """The bytes that a tenant's secrets begin with."""
    return hashlib.sha256(tenant.encode()).digest()[:HINT_BYTES]


def make_secret(tenant: str, random_bytes: bytes) -> bytes:
    """A code's secret, of `RANDOM_BYTES` random bytes; 80 bits of it are in no way public."""
    secret = tenant_hint(tenant) + random_bytes
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret takes {RANDOM_BYTES} random bytes")
    return secret


def code_hash(secret: bytes) -> bytes:
    """What is kept of a secret."""
    digest = hashlib.sha256(_LABEL + secret).digest()
    return secret[:INVITATION_BYTES] + digest[: _HASH_BYTES - INVITATION_BYTES]


def replace_code(
    connection: Connection, tenant: str, register: str, secret: bytes, *, expires_at_ms: int, tries: int
) -> None:
    """Keep a register's code; the ones before it end."""
    connection.execute(delete(codes).where(codes.c.tenant == tenant, codes.c.register == register))
    connection.execute(
        insert(codes).values(
            tenant=tenant,
            register=register,
            code_hash=code_hash(secret),
            expires_at_ms=expires_at_ms,
            tries_left=tries,
            used_at_ms=None,
        )
    )


def end_codes(connection: Connection, tenant: str, register: str) -> None:
    """No code of this register is good any more."""
    connection.execute(delete(codes).where(codes.c.tenant == tenant, codes.c.register == register))


def present_code(connection: Connection, tenant: str, code: EnrolmentCode, now_ms: int) -> Presented:
    """Use a code up, by one statement: of many who present it at once, one is accepted."""
    mine = (codes.c.tenant == tenant, codes.c.code_hash == code_hash(code.secret))
    register = connection.execute(
        update(codes)
        .where(*mine, codes.c.used_at_ms.is_(None), codes.c.tries_left > 0, codes.c.expires_at_ms > now_ms)
        .values(used_at_ms=now_ms)
        .returning(codes.c.register)
    ).scalar()
    if register is not None:
        return Presented(CodeState.ACCEPTED, register, now_ms)
    row = connection.execute(
        select(codes.c.register, codes.c.used_at_ms, codes.c.tries_left, codes.c.expires_at_ms).where(*mine)
    ).first()
    if row is None:
        _count_wrong_try(connection, tenant, code)
        return Presented(CodeState.UNKNOWN)
    # Who knows the whole secret may be told what became of it.
    if row.expires_at_ms <= now_ms:
        return Presented(CodeState.EXPIRED, row.register, row.used_at_ms)
    if row.used_at_ms is not None:
        return Presented(CodeState.USED, row.register, row.used_at_ms)
    return Presented(CodeState.LOCKED, row.register)


def _count_wrong_try(connection: Connection, tenant: str, code: EnrolmentCode) -> None:
    invitation = code.secret[:INVITATION_BYTES]
    rest = _HASH_BYTES - INVITATION_BYTES
    connection.execute(
        update(codes)
        .where(
            codes.c.tenant == tenant,
            codes.c.code_hash.between(invitation + b"\x00" * rest, invitation + b"\xff" * rest),
            codes.c.used_at_ms.is_(None),
            codes.c.tries_left > 0,
        )
        .values(tries_left=codes.c.tries_left - 1)
    )
