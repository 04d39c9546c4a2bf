"""The rows behind a register's code: who made it, what it shows, and the yes that was given to it."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.consent_ties import CAME_BY_PHONE
from cloud.database.schema import (
    consents,
    handovers,
    register_keys,
    register_notices,
    registers,
    stores,
    tenants,
)
from cloud.privacy.handover_values import GivenState
from wire_protocol.consent import Method
from wire_protocol.envelope import KeyRecord
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.notices import Notice

ENROLLED: Final = "enrolled"
_row, _notice = handovers.c, register_notices.c


@dataclass(frozen=True, slots=True)
class CodeRegister:
    """The register that a code claims.

    Attributes:
        chain: Its name.
        store_name: As people know the shop; its id where nobody gave it a name.
        keys: Newest first.
        notices: What it shows now, one a language.
    """

    register: str
    chain: str
    store_name: str
    keys: tuple[KeyRecord, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A yes.

    Attributes:
        kept: Its consent has come.
    """

    handover: bytes
    user: bytes
    register: str
    interaction: bytes
    state: GivenState
    language: str
    expires_at_ms: int
    kept: bool


def read_register(connection: Connection, tenant: str, register: str) -> CodeRegister | None:
    """The register of that name, if it may speak."""
    here = (
        select(registers.c.store, stores.c.name, tenants.c.name.label("chain"))
        .join(tenants, tenants.c.tenant == registers.c.tenant)
        .outerjoin(stores, and_(stores.c.tenant == registers.c.tenant, stores.c.store == registers.c.store))
    )
    found = connection.execute(
        here.where(
            registers.c.tenant == tenant, registers.c.register == register, registers.c.state == ENROLLED
        )
    ).first()
    if found is None:
        return None
    keys = select(register_keys).where(register_keys.c.tenant == tenant, register_keys.c.register == register)
    return CodeRegister(
        register=register,
        chain=found.chain,
        store_name=found.name or found.store,
        keys=tuple(
            _key(row) for row in connection.execute(keys.order_by(register_keys.c.valid_from_ms.desc()))
        ),
        notices=_read_notices(connection, tenant, register),
    )


def read_given(connection: Connection, tenant: str, handover: bytes) -> Given | None:
    """The yes that was given to a code, whoever gave it."""
    found = connection.execute(
        select(handovers, consents.c.consent)
        .outerjoin(consents, CAME_BY_PHONE)
        .where(_row.tenant == tenant, _row.handover == handover)
        .limit(1)
    ).first()
    if found is None:
        return None
    return Given(
        handover=found.handover,
        user=found.user,
        register=found.register,
        interaction=found.interaction,
        state=GivenState(found.state),
        language=found.language,
        expires_at_ms=found.expires_at_ms,
        kept=found.consent is not None,
    )


def give(connection: Connection, values: dict[str, Any]) -> bool:
    """Write a yes down; False where one was given to this code before."""
    new: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = new(handovers).values(**values, state=GivenState.GIVEN.value)
    added = statement.on_conflict_do_nothing().returning(_row.handover)
    return connection.execute(added).first() is not None


def take_back(connection: Connection, tenant: str, user: bytes, handover: bytes) -> bool:
    """Whatever has become of this person's yes, or will: it ends. False where there is none of theirs."""
    mark = (
        update(handovers)
        .where(_row.tenant == tenant, _row.handover == handover, _row.user == user)
        .values(state=GivenState.WITHDRAWN.value)
        .returning(_row.handover)
    )
    return connection.execute(mark).first() is not None


def consents_of(connection: Connection, tenant: str, given: Given) -> list[bytes]:
    """The consents that a register made of a yes: one, once it has come."""
    found = select(consents.c.consent).where(
        consents.c.tenant == tenant,
        consents.c.register == given.register,
        consents.c.interaction == given.interaction,
        consents.c.method == Method.PHONE.value,
    )
    return list(connection.execute(found).scalars())


def _read_notices(connection: Connection, tenant: str, register: str) -> tuple[Notice, ...]:
    found = (
        select(_notice.language, _notice.text, _notice.purposes, _notice.valid_days)
        .where(_notice.tenant == tenant, _notice.register == register)
        .order_by(_notice.language, _notice.heard_at_ms)
    )
    newest = {
        row.language: Notice(row.language, row.text, tuple(row.purposes), row.valid_days)
        for row in connection.execute(found)
    }
    return tuple(newest.values())


def _key(row: Any) -> KeyRecord:
    until = TIME_MAX_MS if row.valid_until_ms is None else row.valid_until_ms
    return KeyRecord(VerificationKey(Algorithm(row.algorithm), row.public), row.valid_from_ms, until)
