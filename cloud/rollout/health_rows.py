"""What registers say of themselves, as rows, in batches; an older message never replaces a newer one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.collector.rows import json_body
from cloud.database.schema import register_health, register_keys, registers
from wire_protocol.envelope import KeyRecord, VerifiedMessage
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.messages import ReportUp, StatusUp

_health = register_health.c
_KEY = (_health.tenant, _health.register)


@dataclass(frozen=True, slots=True)
class Sender:
    """A register and every key it ever had."""

    state: str
    keys: Mapping[bytes, KeyRecord]


def read_senders(connection: Connection, tenant: str, names: Sequence[str]) -> dict[str, Sender]:
    """Those of the names that are registers of this chain."""
    states = select(registers.c.register, registers.c.state).where(
        registers.c.tenant == tenant, registers.c.register.in_(names)
    )
    found = {register: Sender(state, {}) for register, state in connection.execute(states)}
    key = register_keys.c
    keys = select(
        key.register, key.kid, key.algorithm, key.public, key.valid_from_ms, key.valid_until_ms
    ).where(key.tenant == tenant, key.register.in_(names))
    by_register: dict[str, dict[bytes, KeyRecord]] = {}
    for register, kid, algorithm, public, start, end in connection.execute(keys):
        until = TIME_MAX_MS if end is None else end
        record = KeyRecord(VerificationKey(Algorithm(algorithm), public), start, until)
        by_register.setdefault(register, {})[kid] = record
    return {
        register: Sender(sender.state, by_register.get(register, {})) for register, sender in found.items()
    }


def write_reports(
    connection: Connection,
    tenant: str,
    messages: Sequence[VerifiedMessage],
    releases: Mapping[str, int],
    received_at_ms: int,
) -> None:
    """Keep each register's newest report.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        messages: Verified reports.
        releases: Digest of a network -> its release.
        received_at_ms: Now.
    """
    newest: dict[str, VerifiedMessage] = {}
    for message in messages:
        register = message.identity.register
        known = newest.get(register)
        if known is None or message.header.sequence > known.header.sequence:
            newest[register] = message
    rows = [
        {
            "tenant": tenant,
            "register": register,
            "received_at_ms": received_at_ms,
            "sequence": message.header.sequence,
            **_of_report(message.payload, releases),
        }
        for register, message in newest.items()
        if isinstance(message.payload, ReportUp)
    ]
    if not rows:
        return
    statement = _dialect(connection).insert(register_health).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in {"tenant", "register"}}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEY), set_=changed, where=_health.sequence < statement.excluded.sequence
        )
    )


def _of_report(report: ReportUp, releases: Mapping[str, int]) -> dict[str, Any]:
    update, health, shadow, digest = report.update, report.health, report.shadow, report.model_digest
    return {
        "reported_at_ms": report.at,
        "agent_version": report.agent_version,
        # By what it attests; what it says that it runs is in the whole report.
        "running_release": None if digest is None else releases.get(digest),
        "running_digest": digest,
        "generation": report.generation,
        "update_release": None if update is None else update.release,
        "update_state": None if update is None else update.state.value,
        "update_reason": None if update is None or update.reason is None else update.reason.value,
        "p50_ms": None if health is None else health.p50_ms,
        "p99_ms": None if health is None else health.p99_ms,
        "recommendations": None if health is None else health.recommendations,
        "errors": None if health is None else health.errors,
        "crashes": None if health is None else health.crashes,
        "confidence": None if health is None else list(health.confidence),
        "labels": None if health is None else list(health.labels),
        "shadow_release": None if shadow is None else shadow.release,
        "shadow_compared": None if shadow is None else shadow.compared,
        "shadow_same_first": None if shadow is None else shadow.same_first,
        "shadow_errors": None if shadow is None else shadow.errors,
        "shadow_p99_ms": None if shadow is None else shadow.p99_ms,
        "spooled_messages": report.spooled_messages,
        "spooled_bytes": report.spooled_bytes,
        "blanks_left": report.blanks_left,
        "certificate_until_ms": report.certificate_until,
        "metadata_expires_at_ms": None if report.metadata is None else report.metadata.expires_at,
        "report": json_body(report),
    }


def write_statuses(
    connection: Connection, tenant: str, messages: Sequence[VerifiedMessage], received_at_ms: int
) -> None:
    """Keep whether registers are connected, and since when by our clock.

    In the order in which they came: the last will was signed before the status that it ends. The same one
    again, as the broker retains it, changes nothing.
    """
    newest = {message.identity.register: message for message in messages}
    rows = [
        {
            "tenant": tenant,
            "register": register,
            "sequence": 0,
            "generation": 0,
            "online": message.payload.online,
            "online_since_ms": received_at_ms,
            "status_sequence": message.header.sequence,
            "agent_version": message.payload.agent_version,
        }
        for register, message in newest.items()
        if isinstance(message.payload, StatusUp)
    ]
    if not rows:
        return
    statement = _dialect(connection).insert(register_health).values(rows)
    new = statement.excluded
    again = _health.status_sequence == new.status_sequence
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEY),
            set_={
                "online": new.online,
                "online_since_ms": case((again, _health.online_since_ms), else_=new.online_since_ms),
                "status_sequence": new.status_sequence,
            },
        )
    )


def _dialect(connection: Connection) -> Any:
    return postgresql if connection.dialect.name == "postgresql" else sqlite
