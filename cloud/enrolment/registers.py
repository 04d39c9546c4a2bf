"""What an operator does about registers: add, give a code, revoke."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from cloud.broker.errors import BrokerAway, BrokerRefused
from cloud.broker.ports import BrokerRights
from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.tenancy import read_tenant
from cloud.database.tills import PUBLIC_API
from cloud.enrolment import code_rows, register_rows
from cloud.enrolment.certificates import Authority
from cloud.enrolment.errors import RegisterExists, RegisterRevoked, UnknownRegister
from cloud.enrolment.register_rows import Register, RegisterState
from cloud.errors import UnknownTenant
from wire_protocol import enrolment_code
from wire_protocol.topics import Identity

RELOAD_S: Final = 2.5
"""The broker's script looks for a new list of revoked registers every second; then it is in force."""

_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Invitation:
    """A register, and the one-time code that lets it in.

    Attributes:
        code: For one operator's eyes.
    """

    identity: Identity
    store: str
    code: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """How codes are made.

    Attributes:
        authority: Whose fingerprint they carry: the one that servers' certificates come from.
    """

    authority: Authority
    minutes: int
    tries: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation did.

    Attributes:
        first_time: False where the register was revoked before.
        broker: Empty where the broker carried it out, else why not.
    """

    first_time: bool
    broker: str


def add_register(
    database: Database, identity: Identity, store: str, terms: CodeTerms, now_ms: int, *, actor: str
) -> Invitation:
    """Add a register and make its first code.

    Raises:
        UnknownTenant: No such chain.
        RegisterExists: It was added before, or the name is the public API's.
    """
    if identity.register == PUBLIC_API:
        raise RegisterExists(
            f"{PUBLIC_API} is the name under which pictures of the public API are kept",
            remedy="Give the register another name.",
        )
    with database.tenant(identity.tenant) as connection:
        _known_tenant(connection, identity.tenant)
        if register_rows.find_register(connection, identity) is not None:
            raise RegisterExists(
                f"register {identity} was added before",
                remedy="For a new code: `topscoop cloud register code`; for another register, another name.",
            )
        register_rows.add_register(connection, identity, store, now_ms)
        _audit(connection, identity, "register.added", now_ms, actor)
        return _invite(connection, identity, store, terms, now_ms)


def new_code(
    database: Database, identity: Identity, terms: CodeTerms, now_ms: int, *, actor: str
) -> Invitation:
    """Another code for a register: the first one ran out, its certificate expired, or its machine is new.

    Raises:
        UnknownRegister: It was never added.
        RegisterRevoked: It is revoked; a thief's key must find no second life.
    """
    with database.tenant(identity.tenant) as connection:
        register = _known_register(connection, identity)
        if register.state == RegisterState.REVOKED:
            raise RegisterRevoked(
                f"register {identity} is revoked", remedy="Add one under another name: its name is used up."
            )
        _audit(connection, identity, "register.code_made", now_ms, actor)
        return _invite(connection, identity, register.store, terms, now_ms)


def list_registers(database: Database, tenant: str) -> list[Register]:
    """All registers of a chain. Raises UnknownTenant."""
    with database.tenant(tenant, read_only=True) as connection:
        _known_tenant(connection, tenant)
        return register_rows.list_registers(connection, tenant)


def show_register(
    database: Database, identity: Identity
) -> tuple[Register, list[register_rows.CertificateRow]]:
    """A register and its certificates. Raises UnknownRegister."""
    with database.tenant(identity.tenant, read_only=True) as connection:
        register = _known_register(connection, identity)
        return register, register_rows.list_certificates(connection, identity)


def revoke_register(database: Database, identity: Identity, now_ms: int, *, actor: str) -> bool:
    """Put a register out, in the database: from here on nothing that it sends is accepted.

    Returns:
        False where it was revoked before.

    Raises:
        UnknownRegister: It was never added.
    """
    with database.tenant(identity.tenant) as connection:
        _known_register(connection, identity)
        first_time = register_rows.mark_revoked(connection, identity, now_ms)
        code_rows.end_codes(connection, identity.tenant, identity.register)
        if first_time:
            _audit(connection, identity, "register.revoked", now_ms, actor)
        return first_time


def expel(broker: BrokerRights, identities: Sequence[Identity], pause: Callable[[float], None]) -> str:
    """Drop live sessions and rights; empty, or why the broker did not do it.

    Taking the rights drops the session at once. mosquitto lets a client come back as long as its certificate
    is good, though without any right; the list of revoked certificates ends that, but not the sessions that
    came back before it was read. So they are dropped once more after it was.
    """
    names = [str(identity) for identity in identities]
    try:
        broker.expel(names)
        pause(RELOAD_S)
        broker.expel(names)
    except (BrokerAway, BrokerRefused) as error:
        return str(error)
    return ""


def all_enrolled(database: Database) -> list[Identity]:
    """Every register that has rights at the broker."""
    found = []
    for tenant in database.tenants():
        with database.tenant(tenant, read_only=True) as connection:
            found += register_rows.enrolled_identities(connection, tenant)
    return found


def all_revoked(database: Database, now_ms: int) -> list[tuple[str, int]]:
    """Serial (hex) and time of every certificate that the list of revoked ones must hold."""
    found = []
    for tenant in database.tenants():
        with database.tenant(tenant, read_only=True) as connection:
            found += register_rows.revoked_certificates(connection, tenant, now_ms)
    return found


def _invite(
    connection: Connection, identity: Identity, store: str, terms: CodeTerms, now_ms: int
) -> Invitation:
    secret = code_rows.make_secret(identity.tenant, secrets.token_bytes(code_rows.RANDOM_BYTES))
    expires_at_ms = now_ms + terms.minutes * _MINUTE_MS
    code_rows.replace_code(
        connection,
        identity.tenant,
        identity.register,
        secret,
        expires_at_ms=expires_at_ms,
        tries=terms.tries,
    )
    text = enrolment_code.make(secret, hashlib.sha256(terms.authority.der).digest())
    return Invitation(identity, store, text, expires_at_ms)


def _known_tenant(connection: Connection, tenant: str) -> None:
    if read_tenant(connection, tenant) is None:
        raise UnknownTenant(
            f"no chain is called {tenant!r}", remedy="`topscoop cloud tenant list` names them all."
        )


def _known_register(connection: Connection, identity: Identity) -> Register:
    register = register_rows.find_register(connection, identity)
    if register is None:
        raise UnknownRegister(
            f"no register is called {identity}",
            remedy=f"`topscoop cloud register list --tenant {identity.tenant}` names them all.",
        )
    return register


def _audit(connection: Connection, identity: Identity, action: str, now_ms: int, actor: str) -> None:
    write_audit(connection, identity.tenant, now_ms, actor=actor, action=action, subject=str(identity))
