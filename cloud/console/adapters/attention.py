"""Gathers what the overview says of a chain, in counts."""

from typing import Any, Final

from sqlalchemy import Connection, case, func, select

from cloud.console.adapters.fleet import attention_tests
from cloud.console.views.attention import Facts
from cloud.console.views.fleet import Attention
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

_NAMES: Final = {
    Attention.CERTIFICATE_EXPIRED: "expired_certificates",
    Attention.UPDATE_FAILED: "failed_updates",
    Attention.SILENT: "silent",
    Attention.NEVER: "never",
    Attention.CERTIFICATE: "certificates",
    Attention.METADATA: "stale_registers",
    Attention.BLANKS: "few_blanks",
    Attention.SPOOL: "full_spools",
}


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
    """Counts over the newest reports of the enrolled registers, by the very tests of the fleet's page."""
    row = register_health.c
    tests = attention_tests(now_ms)
    columns = [func.sum(case((test, 1), else_=0)) for test in tests.values()]
    statement = (
        select(*columns)
        .select_from(registers)
        .outerjoin(
            register_health, (row.tenant == registers.c.tenant) & (row.register == registers.c.register)
        )
        .where(registers.c.tenant == tenant, registers.c.state == "enrolled")
    )
    counted = connection.execute(statement).one()
    return {_NAMES[one]: int(number or 0) for one, number in zip(tests, counted, strict=True)}
