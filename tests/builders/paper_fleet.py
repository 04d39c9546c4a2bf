"""Registers that obey on paper: the real desk and tick, over rows that say what tills would report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from cloud.database.schema import desired_states, register_health, registers
from cloud.principal import Principal, Role
from cloud.rollout.desk import Desk
from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.tick import tick
from tests.builders.fleet_rows import add_fleet, add_releases, digest_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloud.rollout.values import Plan
    from tests.builders.console_stage import ConsoleStage

CONFIDENCE = [0, 4, 60, 240, 310, 220, 120, 60, 20, 4]
LABELS = [140, 220, 300, 80, 120, 60, 90, 28]


@dataclass
class PaperFleet:
    """A chain of registers that run release 7, and what they do with others.

    Args:
        crashing: Registers that crash on whatever they are told.
    """

    stage: ConsoleStage
    tenant: str
    crashing: set[str] = field(default_factory=set)

    @property
    def desk(self) -> Desk:
        """Where rollouts are planned."""
        return self.stage.desk.rollouts

    def principal(self, role: Role = Role.OPERATOR, name: str = "Otto Operator") -> Principal:
        """Somebody of this chain."""
        operator = self.stage.operator(role, tenant=self.tenant, name=name)
        return Principal(self.tenant, operator.operator, operator.name, role)

    def begin(self, release: int = 8, plan: Plan = DEFAULT_PLAN) -> bytes:
        """Plan and start a rollout."""
        otto = self.principal()
        rollout = self.desk.plan(otto, release, plan)
        self.desk.start(otto, rollout, "the new season")
        return rollout

    def pass_time(self, seconds: int) -> None:
        """Move the console's clock; whoever reports goes on reporting."""
        self.stage.clock[0] += seconds * 1000

    def turn(self, *, p99_ms: float = 3.1, answers: int = 700, ticks: int = 1) -> None:
        """The controller looks, every register does what it is told and reports; so many times."""
        for _ in range(ticks):
            self.pass_time(60)
            now_ms = self.stage.clock[0]
            tick(self.stage.desk.database, self.tenant, now_ms)
            self._report(now_ms, p99_ms, answers)

    def _report(self, now_ms: int, p99_ms: float, answers: int) -> None:
        wanted = desired_states.c
        row = register_health.c
        with self.stage.desk.database.tenant(self.tenant) as connection:
            told = connection.execute(
                select(wanted.register, wanted.generation, wanted.release).where(wanted.tenant == self.tenant)
            ).all()
            running: dict[str, Any] = dict(
                connection.execute(
                    select(row.register, row.running_release).where(row.tenant == self.tenant)
                ).all()
            )
            for register, generation, release in told:
                obeys = release is not None and register in running
                values: dict[str, Any] = {
                    "generation": generation,
                    "received_at_ms": now_ms,
                    "online": True,
                }
                if obeys:
                    crashed = register in self.crashing and release != 7
                    values |= {
                        "running_release": release,
                        "running_digest": digest_of(release),
                        "update_release": release,
                        "update_state": "good",
                        "recommendations": answers,
                        "crashes": 3 if crashed else 0,
                        "p99_ms": p99_ms,
                        "confidence": CONFIDENCE,
                        "labels": LABELS,
                    }
                connection.execute(
                    update(register_health)
                    .where(row.tenant == self.tenant, row.register == register)
                    .values(values)
                )


def paper_fleet(
    stage: ConsoleStage,
    tenant: str,
    count: int = 12,
    *,
    releases: Collection[int] = (7, 8, 9),
    flavour: str | None = None,
    withdrawn: int | None = None,
) -> PaperFleet:
    """A fleet that is well and runs release 7."""
    database, now_ms = stage.desk.database, stage.clock[0]
    add_releases(database, tenant, now_ms, *releases, flavour=flavour, withdrawn=withdrawn)
    add_fleet(database, tenant, now_ms, count, running=7, desired=7)
    row = register_health.c
    till = registers.c
    with database.tenant(tenant) as connection:
        # The made-up fleet has registers that were never heard of; here all are well.
        pattern = dict(
            connection.execute(select(register_health).where(row.tenant == tenant).limit(1)).mappings().one()
        )
        silent = connection.execute(
            select(till.register).where(
                till.tenant == tenant, till.register.not_in(select(row.register).where(row.tenant == tenant))
            )
        ).scalars()
        for register in silent.all():
            connection.execute(insert(register_health).values(pattern | {"register": register}))
        connection.execute(update(registers).where(till.tenant == tenant).values(state="enrolled"))
        connection.execute(
            update(register_health)
            .where(row.tenant == tenant)
            .values(
                running_release=7,
                running_digest=digest_of(7),
                update_release=7,
                update_state="good",
                update_reason=None,
                received_at_ms=now_ms,
                online=True,
                online_since_ms=now_ms - 3_600_000,
                blanks_left=900,
                spooled_messages=0,
                certificate_until_ms=now_ms + 60 * 86_400_000,
                recommendations=900,
                confidence=CONFIDENCE,
                labels=LABELS,
            )
        )
    return PaperFleet(stage, tenant)
