"""Gathers what the overview says of a chain, in counts."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select

from cloud.console.views.attention import (
    BLANKS_FEW,
    CERTIFICATE_WARN_MS,
    SILENT_AFTER_MS,
    SPOOL_MANY,
    Facts,
)
from cloud.database.schema import (
    quarantine,
    refusals,
    register_health,
    registers,
    releases,
    repositories,
    withdrawals,
)
from cloud.database.tenancy import count_registers
from wire_protocol.fleet_messages import UpdateState

_FAILED: Final = (UpdateState.BAD.value, UpdateState.REFUSED.value)


def read_facts(connection: Connection, tenant: str, now_ms: int, today: str) -> Facts:
    """Everything but the rollouts, whose owner is their desk."""
    states = count_registers(connection, tenant)
    trust = connection.execute(
        select(repositories.c.problem, repositories.c.expires_at_ms).where(repositories.c.tenant == tenant)
    ).first()
    return Facts(
        now_ms=now_ms,
        enrolled=states.get("enrolled", 0),
        invited=states.get("invited", 0),
        **_health(connection, tenant, now_ms),
        releases=connection.execute(
            select(func.count()).where(releases.c.tenant == tenant, releases.c.withdrawn_at_ms.is_(None))
        ).scalar_one(),
        trusted=trust is not None,
        repository_problem=None if trust is None else trust.problem,
        metadata_expires_at_ms=None if trust is None else trust.expires_at_ms,
        refused_today=int(
            connection.execute(
                select(func.coalesce(func.sum(refusals.c.count), 0)).where(
                    refusals.c.tenant == tenant, refusals.c.day == today
                )
            ).scalar_one()
        ),
        set_aside=connection.execute(select(func.count()).where(quarantine.c.tenant == tenant)).scalar_one(),
        erasures_waiting=connection.execute(
            select(func.count()).where(
                withdrawals.c.tenant == tenant, withdrawals.c.versions_deleted_at_ms.is_(None)
            )
        ).scalar_one(),
    )


def _health(connection: Connection, tenant: str, now_ms: int) -> dict[str, Any]:
    """Counts over the newest reports of the enrolled registers: one statement, one look at each row."""
    row = register_health.c
    ends = row.certificate_until_ms
    wanted: dict[str, ColumnElement[bool]] = {
        "never": row.received_at_ms.is_(None),
        "silent": row.received_at_ms < now_ms - SILENT_AFTER_MS,
        "certificates": (ends > now_ms) & (ends <= now_ms + CERTIFICATE_WARN_MS),
        "expired_certificates": ends <= now_ms,
        "few_blanks": row.blanks_left < BLANKS_FEW,
        "full_spools": row.spooled_messages > SPOOL_MANY,
        "stale_registers": row.metadata_expires_at_ms <= now_ms,
        "failed_updates": row.update_state.in_(_FAILED),
    }
    columns = [func.sum(case((test, 1), else_=0)).label(name) for name, test in wanted.items()]
    statement = (
        select(*columns)
        .select_from(registers)
        .outerjoin(
            register_health, (row.tenant == registers.c.tenant) & (row.register == registers.c.register)
        )
        .where(registers.c.tenant == tenant, registers.c.state == "enrolled")
    )
    counted = connection.execute(statement).one()
    return {name: int(counted[index] or 0) for index, name in enumerate(wanted)}
