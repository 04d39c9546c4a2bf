"""Registers, their keys and certificates, as statements within a tenant's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Select, func, insert, select, update

from cloud.database.schema import certificates, register_keys, registers
from cloud.database.tills import IS_TILL
from cloud.enrolment.certificates import DAY_MS, Life
from wire_protocol.keys import VerificationKey
from wire_protocol.topics import Identity

KEY_OVERLAP_MS: Final = DAY_MS
"""A register whose clock is ahead may have signed what it still holds, by its own time, so much later."""


class RegisterState(StrEnum):
    """Where a register stands; `revoked` is for ever, so that a thief's key finds no second life."""

    INVITED = "invited"
    ENROLLED = "enrolled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Register:
    """One register, as the database has it."""

    tenant: str
    register: str
    store: str
    state: str
    created_at_ms: int
    enrolled_at_ms: int | None
    revoked_at_ms: int | None
    seen_at_ms: int | None

    @property
    def identity(self) -> Identity:
        """Its name at the broker and in certificates."""
        return Identity(self.tenant, self.register)


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """One certificate that was issued."""

    serial: str
    not_before_ms: int
    not_after_ms: int
    revoked_at_ms: int | None


def add_register(connection: Connection, identity: Identity, store: str, now_ms: int) -> None:
    """Add a register that is not there."""
    connection.execute(
        insert(registers).values(
            tenant=identity.tenant,
            register=identity.register,
            store=store,
            state=RegisterState.INVITED,
            created_at_ms=now_ms,
        )
    )


def find_register(connection: Connection, identity: Identity) -> Register | None:
    """A register; None where none of that name was added."""
    row = connection.execute(_register_columns().where(*_is(registers, identity), IS_TILL)).first()
    return None if row is None else Register(*row)


def list_registers(connection: Connection, tenant: str) -> list[Register]:
    """All registers of a tenant, by name."""
    rows = connection.execute(
        _register_columns().where(registers.c.tenant == tenant, IS_TILL).order_by(registers.c.register)
    )
    return [Register(*row) for row in rows]


def enrolled_identities(connection: Connection, tenant: str) -> list[Identity]:
    """The registers that have rights at the broker."""
    names = connection.execute(
        select(registers.c.register).where(
            registers.c.tenant == tenant, registers.c.state == RegisterState.ENROLLED
        )
    ).scalars()
    return [Identity(tenant, name) for name in names]


def mark_enrolled(connection: Connection, identity: Identity, now_ms: int) -> str | None:
    """Set a register to `enrolled`; its store, or None where it is revoked or gone."""
    return connection.execute(
        update(registers)
        .where(*_is(registers, identity), registers.c.state != RegisterState.REVOKED, IS_TILL)
        .values(state=RegisterState.ENROLLED, enrolled_at_ms=now_ms)
        .returning(registers.c.store)
    ).scalar()


def mark_revoked(connection: Connection, identity: Identity, now_ms: int) -> bool:
    """Revoke a register and its certificates; False where it was revoked before, or never added.

    Its keys go on verifying: what it stored stays verifiable, and a withdrawal that it still had is heeded.
    """
    done = connection.execute(
        update(registers)
        .where(*_is(registers, identity), registers.c.state != RegisterState.REVOKED, IS_TILL)
        .values(state=RegisterState.REVOKED, revoked_at_ms=now_ms)
        .returning(registers.c.register)
    ).scalar()
    if done is None:
        return False
    revoke_certificates(connection, identity, now_ms)
    return True


def current_key(connection: Connection, identity: Identity) -> bytes | None:
    """The id of the key that a register signs with."""
    return connection.execute(
        select(register_keys.c.kid).where(
            *_is(register_keys, identity), register_keys.c.valid_until_ms.is_(None)
        )
    ).scalar()


def knows_key(connection: Connection, identity: Identity, kid: bytes) -> bool:
    """Whether a register has, or once had, this key."""
    found = select(func.count()).where(*_is(register_keys, identity), register_keys.c.kid == kid)
    return bool(connection.execute(found).scalar_one())


def replace_signing_key(
    connection: Connection, identity: Identity, key: VerificationKey, now_ms: int
) -> None:
    """Let a register sign with a new key; the one before ends a day from now and verifies the past for ever.

    No key has a beginning: a till's clock may be years behind, and its first message says so in good faith.
    """
    connection.execute(
        update(register_keys)
        .where(*_is(register_keys, identity), register_keys.c.valid_until_ms.is_(None))
        .values(valid_until_ms=now_ms + KEY_OVERLAP_MS)
    )
    connection.execute(
        insert(register_keys).values(
            tenant=identity.tenant,
            register=identity.register,
            kid=key.kid,
            algorithm=int(key.algorithm),
            public=key.public,
            valid_from_ms=0,
            valid_until_ms=None,
        )
    )


def add_certificate(connection: Connection, identity: Identity, serial: str, life: Life) -> None:
    """Record a certificate that is about to be handed out."""
    connection.execute(
        insert(certificates).values(
            tenant=identity.tenant,
            register=identity.register,
            serial=serial,
            not_before_ms=life.not_before_ms,
            not_after_ms=life.not_after_ms,
            revoked_at_ms=None,
        )
    )


def list_certificates(connection: Connection, identity: Identity) -> list[CertificateRow]:
    """Every certificate of a register, the newest last."""
    row = certificates.c
    statement = (
        select(row.serial, row.not_before_ms, row.not_after_ms, row.revoked_at_ms)
        .where(*_is(certificates, identity))
        .order_by(row.not_after_ms)
    )
    return [CertificateRow(*found) for found in connection.execute(statement)]


def revoke_certificates(connection: Connection, identity: Identity, now_ms: int) -> None:
    """Revoke what a register holds."""
    connection.execute(
        update(certificates)
        .where(*_is(certificates, identity), certificates.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms)
    )


def revoked_certificates(connection: Connection, tenant: str, now_ms: int) -> list[tuple[str, int]]:
    """Serial and time of revocation of what would still be accepted without a list."""
    row = certificates.c
    statement = select(row.serial, row.revoked_at_ms).where(
        row.tenant == tenant, row.revoked_at_ms.is_not(None), row.not_after_ms > now_ms
    )
    return [(serial, at_ms) for serial, at_ms in connection.execute(statement)]


def newest_certificates(connection: Connection, tenant: str) -> list[tuple[str, Life]]:
    """For each enrolled register the certificate that ends last."""
    row = certificates.c
    statement = (
        select(row.register, func.max(row.not_before_ms), func.max(row.not_after_ms))
        .join(
            registers,
            (registers.c.tenant == row.tenant) & (registers.c.register == row.register),
        )
        .where(row.tenant == tenant, row.revoked_at_ms.is_(None), registers.c.state == RegisterState.ENROLLED)
        .group_by(row.register)
    )
    return [(name, Life(start, end)) for name, start, end in connection.execute(statement)]


def _register_columns() -> Select[Any]:
    row = registers.c
    return select(
        row.tenant,
        row.register,
        row.store,
        row.state,
        row.created_at_ms,
        row.enrolled_at_ms,
        row.revoked_at_ms,
        row.seen_at_ms,
    )


def _is(table: Any, identity: Identity) -> Sequence[Any]:
    return table.c.tenant == identity.tenant, table.c.register == identity.register
