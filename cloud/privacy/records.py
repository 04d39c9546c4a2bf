"""What the keeper reads and writes in the cloud's database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.collector.acceptance import object_key
from cloud.collector.values import State
from cloud.database.audit_log import write_audit
from cloud.database.consent_lock import lock_to_withdraw
from cloud.database.engine import Database
from cloud.database.schema import (
    audit,
    consents,
    frames,
    messages,
    register_keys,
    registers,
    withdrawals,
)
from cloud.privacy.erasure_plan import Proof, Source, Withdrawal, proof_entry_id, proof_of
from wire_protocol.envelope import KeyRecord
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.limits import TIME_MAX_MS

KEEPER = "keeper"
"""The actor of what no person asked for."""


class Records:
    """The keeper's statements; each method is one transaction of one tenant and raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tenants(self) -> list[str]:
        """Every tenant."""
        return self._database.tenants()

    # ---- withdrawals --------------------------------------------------------------------------------------

    def withdraw(
        self, tenant: str, consent: bytes, source: Source, now_ms: int, *, actor: str, purpose: str = ""
    ) -> bool:
        """End a consent, known or not; whether it had not ended before. What was asked for is audited."""
        row = {
            "tenant": tenant,
            "consent": consent,
            "source": source.value,
            "withdrawn_at_ms": now_ms,
            "received_at_ms": now_ms,
        }
        with self._database.tenant(tenant) as connection:
            lock_to_withdraw(connection, tenant, [consent])
            fresh = _insert_once(connection, withdrawals, row)
            if fresh:
                write_audit(
                    connection,
                    tenant,
                    now_ms,
                    actor=actor,
                    action="consent.ended",
                    subject=consent.hex(),
                    detail={"source": source.value, "purpose": purpose},
                )
            return fresh

    def withdrawal(self, tenant: str, consent: bytes) -> Withdrawal | None:
        """The row of one consent."""
        with self._database.tenant(tenant, read_only=True) as connection:
            row = connection.execute(
                select(withdrawals).where(withdrawals.c.tenant == tenant, withdrawals.c.consent == consent)
            ).first()
            return None if row is None else _withdrawal(row)

    def unfinished(self, tenant: str, limit: int) -> list[Withdrawal]:
        """Consents that ended and are not erased, oldest first."""
        return self._withdrawals(tenant, withdrawals.c.versions_deleted_at_ms.is_(None), limit)

    def left_over(self, tenant: str, limit: int) -> list[Withdrawal]:
        """Erased consents under which a frame stands as stored all the same, as if they were unfinished.

        Finishing and withdrawing wait for each other, so there are none; no erasure may rest on that alone.
        """
        stored = exists().where(
            frames.c.tenant == tenant,
            frames.c.consent == withdrawals.c.consent,
            frames.c.erased_at_ms.is_(None),
        )
        erased = withdrawals.c.versions_deleted_at_ms.is_not(None)
        found = self._withdrawals(tenant, and_(erased, stored), limit)
        return [replace(row, versions_deleted_at_ms=None, versions_deleted=None) for row in found]

    def untold(self, tenant: str, limit: int) -> list[Withdrawal]:
        """Erased consents whose registers were not told yet, oldest first."""
        erased = withdrawals.c.versions_deleted_at_ms.is_not(None)
        return self._withdrawals(tenant, and_(erased, withdrawals.c.told_register_at_ms.is_(None)), limit)

    def to_tell(
        self, tenant: str, register: str, *, received_from_ms: int, told_until_ms: int, limit: int
    ) -> list[bytes]:
        """Consents of a register that ended since then, their keys destroyed, and were not told of lately."""
        found = (
            select(withdrawals.c.consent)
            .join(
                consents,
                and_(consents.c.tenant == withdrawals.c.tenant, consents.c.consent == withdrawals.c.consent),
            )
            .where(
                withdrawals.c.tenant == tenant,
                consents.c.register == register,
                withdrawals.c.received_at_ms >= received_from_ms,
                withdrawals.c.key_destroyed_at_ms.is_not(None),
                or_(
                    withdrawals.c.told_register_at_ms.is_(None),
                    withdrawals.c.told_register_at_ms <= told_until_ms,
                ),
            )
            .order_by(withdrawals.c.received_at_ms)
            .limit(limit)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(found).scalars())

    def mark_key_destroyed(self, tenant: str, consent: bytes, now_ms: int) -> None:
        """Write down that the key is gone; the first time counts."""
        mark = (
            update(withdrawals)
            .where(
                withdrawals.c.tenant == tenant,
                withdrawals.c.consent == consent,
                withdrawals.c.key_destroyed_at_ms.is_(None),
            )
            .values(key_destroyed_at_ms=now_ms)
        )
        with self._database.tenant(tenant) as connection:
            connection.execute(mark)

    def mark_erased(self, tenant: str, consent: bytes, versions_deleted: int, now_ms: int) -> Proof:
        """Write down that every version is gone, and the proof, in one transaction; the first time counts.

        Its messages are `gone` from here on, also to a register that sends one of them again.
        """
        mark = (
            update(withdrawals)
            .where(
                withdrawals.c.tenant == tenant,
                withdrawals.c.consent == consent,
                withdrawals.c.versions_deleted_at_ms.is_(None),
            )
            .values(versions_deleted_at_ms=now_ms, versions_deleted=versions_deleted)
        )
        erase = (
            update(frames)
            .where(frames.c.tenant == tenant, frames.c.consent == consent, frames.c.erased_at_ms.is_(None))
            .values(erased_at_ms=now_ms)
        )
        of_consent = exists().where(
            frames.c.tenant == tenant,
            frames.c.consent == consent,
            frames.c.register == messages.c.register,
            frames.c.message_id == messages.c.message_id,
        )
        answer_gone = (
            update(messages)
            .where(messages.c.tenant == tenant, messages.c.state == State.STORED.value, of_consent)
            .values(state=State.GONE.value, version=None)
        )
        with self._database.tenant(tenant) as connection:
            connection.execute(mark)
            connection.execute(erase)
            connection.execute(answer_gone)
            row = _withdrawal(
                connection.execute(
                    select(withdrawals).where(
                        withdrawals.c.tenant == tenant, withdrawals.c.consent == consent
                    )
                ).one()
            )
            proof = proof_of(row)
            entry = {
                "tenant": tenant,
                "entry": proof_entry_id(row),  # so a repeated step adds no second proof
                "at_ms": now_ms,
                "actor": KEEPER,
                "action": "consent.erased",
                "subject": consent.hex(),
                "detail": proof.plain(),
            }
            _insert_once(connection, audit, entry)
            return proof

    def mark_told(self, tenant: str, told: Sequence[bytes], now_ms: int) -> None:
        """Write down that the register was told."""
        mark = (
            update(withdrawals)
            .where(withdrawals.c.tenant == tenant, withdrawals.c.consent.in_(told))
            .values(told_register_at_ms=now_ms)
        )
        with self._database.tenant(tenant) as connection:
            connection.execute(mark)

    # ---- frames and consents ------------------------------------------------------------------------------

    def object_keys(self, tenant: str, consent: bytes) -> list[str]:
        """Every key under which a frame of this consent lies, or may come to lie."""
        with self._database.tenant(tenant, read_only=True) as connection:
            stored = connection.execute(
                select(frames.c.object_key)
                .where(frames.c.tenant == tenant, frames.c.consent == consent)
                .distinct()
            ).scalars()
            given = connection.execute(
                select(consents.c.interaction).where(
                    consents.c.tenant == tenant, consents.c.consent == consent
                )
            ).scalars()
            return sorted({*stored, *(object_key(tenant, interaction) for interaction in given)})

    def versions_of(self, tenant: str, key: str) -> Mapping[str, bytes]:
        """Version -> consent, of the frames that are stored under a key."""
        found = select(frames.c.version, frames.c.consent).where(
            frames.c.tenant == tenant, frames.c.object_key == key
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return {version: consent for version, consent in connection.execute(found)}  # noqa: C416 - rows

    def expired(self, tenant: str, now_ms: int, limit: int) -> list[bytes]:
        """Consents whose time, or that of a frame under them, is over, and that have not ended yet."""
        by_consent, by_frame = (
            select(table.c.consent).where(
                table.c.tenant == tenant,
                table.c.expires_at_ms <= now_ms,
                ~exists().where(withdrawals.c.tenant == tenant, withdrawals.c.consent == table.c.consent),
            )
            for table in (consents, frames)
        )
        # Frames by the index on their end; without it each look would go through every consent's frames.
        found = by_consent.union(by_frame.where(frames.c.erased_at_ms.is_(None))).limit(limit)
        with self._database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(found).scalars())

    def given(self, tenant: str, blanks: Iterable[bytes]) -> set[bytes]:
        """Those of the blanks on which a consent was received."""
        wanted, found = list(blanks), set[bytes]()
        with self._database.tenant(tenant, read_only=True) as connection:
            for start in range(0, len(wanted), 500):  # SQLite takes so many parameters in every build
                some = select(consents.c.consent).where(
                    consents.c.tenant == tenant, consents.c.consent.in_(wanted[start : start + 500])
                )
                found |= set(connection.execute(some).scalars())
        return found

    def consents_of_code(self, tenant: str, digest: bytes) -> list[bytes]:
        """The consents whose slips carry the code of this digest; one, unless a register is broken."""
        found = select(consents.c.consent).where(consents.c.tenant == tenant, consents.c.withdrawal == digest)
        with self._database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(found).scalars())

    def register_of(self, tenant: str, consent: bytes) -> str | None:
        """Which register a consent was given at; None where none was received."""
        found = select(consents.c.register).where(consents.c.tenant == tenant, consents.c.consent == consent)
        with self._database.tenant(tenant, read_only=True) as connection:
            return connection.execute(found).scalar()

    # ---- registers ----------------------------------------------------------------------------------------

    def register_state(self, tenant: str, register: str) -> str | None:
        """`invited`, `enrolled` or `revoked`; None where there is none."""
        found = select(registers.c.state).where(
            registers.c.tenant == tenant, registers.c.register == register
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return connection.execute(found).scalar()

    def register_keys(self, tenant: str, register: str) -> dict[bytes, KeyRecord]:
        """Every key that a register ever signed with, by key id."""
        found = select(register_keys).where(
            register_keys.c.tenant == tenant, register_keys.c.register == register
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return {row.kid: _key_record(row) for row in connection.execute(found)}

    def save_report(self, tenant: str, register: str, report: Mapping[str, Any], now_ms: int) -> None:
        """Keep the newest report of a register."""
        save = (
            update(registers)
            .where(registers.c.tenant == tenant, registers.c.register == register)
            .values(report=dict(report), seen_at_ms=now_ms)
        )
        with self._database.tenant(tenant) as connection:
            connection.execute(save)

    def _withdrawals(self, tenant: str, which: ColumnElement[bool], limit: int) -> list[Withdrawal]:
        found = (
            select(withdrawals)
            .where(withdrawals.c.tenant == tenant, which)
            .order_by(withdrawals.c.received_at_ms)
            .limit(limit)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return [_withdrawal(row) for row in connection.execute(found)]


def _withdrawal(row: Row[Any]) -> Withdrawal:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Withdrawal(**values | {"source": Source(values["source"])})


def _key_record(row: Row[Any]) -> KeyRecord:
    until = TIME_MAX_MS if row.valid_until_ms is None else row.valid_until_ms
    return KeyRecord(VerificationKey(Algorithm(row.algorithm), row.public), row.valid_from_ms, until)


def _insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert unless a row of that primary key is there; whether it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(row).on_conflict_do_nothing().returning(table.c.tenant)
    return connection.execute(statement).first() is not None
