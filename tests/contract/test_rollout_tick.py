"""The simulated cloud keeps what the database keeps: the same decisions written by both, every minute."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from cloud.database.engine import Database
from cloud.database.schema import (
    desired_states,
    register_health,
    registers,
    releases,
    rollout_members,
    rollout_policies,
    rollouts,
)
from cloud.rollout.desk_rows import add_members
from cloud.rollout.plan_values import plan_to
from cloud.rollout.tick import tick
from tests.builders.cloud_database import add_tenants, postgres_service, sqlite_database
from tests.simulation.fleet.cloud import Cloud
from tests.simulation.fleet.till import digest_of
from tests.simulation.fleet.world import NEW, OLD, Play

TENANT = "chain"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgres":
        opened = postgres_service(request.getfixturevalue("postgres_database"))
    else:
        opened = sqlite_database(tmp_path)
    with opened:
        yield opened


class Twin(Play):
    """A play whose controller is the real one over a database, beside the simulated one."""

    def __init__(self, seed: int, registers_: int, database: Database) -> None:
        super().__init__(seed, registers_, guarded=True)
        self.database = database
        self.compared = 0
        self._begin()

    def _begin(self) -> None:
        rollout, cloud = self.cloud.rollout, self.cloud
        add_tenants(self.database, TENANT)
        with self.database.tenant(TENANT) as connection:
            tills = self.tills.values()
            connection.execute(
                insert(registers),
                [
                    {"tenant": TENANT, "register": till.name, "store": till.store, "state": "enrolled"}
                    | {"created_at_ms": 0}
                    for till in tills
                ],
            )
            usual = {"name": "m", "version": "1", "target": "t", "bytes": 1, "budget_p99_ms": 10.0}
            more = {"minimum_agent": "0", "manifest": {}, "report": {}, "listed_at_ms": 0}
            connection.execute(
                insert(releases),
                [
                    {"tenant": TENANT, "release": one, "digest": digest_of(one), **usual, **more}
                    for one in (OLD, NEW)
                ],
            )
            connection.execute(
                insert(rollouts).values(
                    tenant=TENANT,
                    rollout=rollout.rollout,
                    revision=rollout.revision,
                    release=NEW,
                    state="running",
                    stage=0,
                    plan=plan_to(rollout.plan),
                    baseline={kind: list(counts) for kind, counts in rollout.baseline.items()},
                    created_by="anna",
                    created_at_ms=0,
                    started_at_ms=0,
                )
            )
            add_members(connection, rollout, list(cloud.members.values()), 0)
            connection.execute(
                insert(desired_states),
                [
                    {"tenant": TENANT, "register": name, "generation": 1, "release": OLD, "settings": {}}
                    | {"digest": digest_of(OLD), "set_at_ms": 0, "published_generation": 1}
                    for name in self.tills
                ],
            )

    def controllers(self, minute: int) -> None:
        """The simulated one decides and writes; the real one does; both are the same then."""
        cloud = self.cloud
        self._copy(cloud)
        rollout, members, known, policy = cloud.snapshot()
        cloud.write(rollout, policy, self.decide(rollout, members, known), self.now_ms)
        tick(self.database, TENANT, self.now_ms)
        self._compare(minute)

    def _copy(self, cloud: Cloud) -> None:
        """What a person did, what was withdrawn, and what is known of the registers."""
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                update(rollouts)
                .where(rollouts.c.tenant == TENANT)
                .values(state=cloud.rollout.state.value, revision=cloud.rollout.revision)
            )
            if NEW not in cloud.may_run:
                connection.execute(
                    update(releases)
                    .where(releases.c.tenant == TENANT, releases.c.release == NEW)
                    .values(withdrawn_at_ms=1)
                )
            connection.execute(delete(rollout_policies).where(rollout_policies.c.tenant == TENANT))
            if cloud.policy.frozen is not None:
                frozen = {"frozen_at_ms": 1, "frozen_by": "anna", "frozen_reason": "heat wave"}
                connection.execute(insert(rollout_policies).values(tenant=TENANT, approval=False, **frozen))
            connection.execute(delete(register_health).where(register_health.c.tenant == TENANT))
            connection.execute(insert(register_health), [_health(one) for one in cloud.known.values()])

    def _compare(self, minute: int) -> None:
        cloud = self.cloud
        row = rollout_members.c
        with self.database.tenant(TENANT, read_only=True) as connection:
            [(state, stage, revision)] = connection.execute(
                select(rollouts.c.state, rollouts.c.stage, rollouts.c.revision).where(
                    rollouts.c.tenant == TENANT
                )
            )
            members = {
                one.register: (one.state, one.previous, one.generation, one.told_at_ms, one.reason)
                for one in connection.execute(select(rollout_members).where(row.tenant == TENANT))
            }
            orders = {
                one.register: (one.generation, one.release, one.settings.get("shadow"))
                for one in connection.execute(select(desired_states).where(desired_states.c.tenant == TENANT))
            }
        rollout = cloud.rollout
        assert (state, stage, revision) == (rollout.state.value, rollout.stage, rollout.revision), minute
        assert members == {
            name: (one.state.value, one.previous, one.generation, one.told_at_ms, one.reason)
            for name, one in cloud.members.items()
        }, minute
        assert orders == {
            name: (one.generation, one.release, one.shadow) for name, one in cloud.orders.items()
        }, minute
        self.compared += 1


def _health(said: Any) -> dict[str, Any]:
    values = asdict(said)
    for foreign in ("active", "desired_release", "desired_digest"):
        values.pop(foreign)
    values["online_since_ms"] = values.pop("since_ms")
    values["received_at_ms"] = values.pop("heard_at_ms")
    for counts in ("confidence", "labels"):
        values[counts] = list(values[counts])
    return {"tenant": TENANT, "sequence": 1, **values}


@pytest.mark.parametrize("seed", [0, 8, 19])
def test_the_simulated_cloud_and_the_database_are_the_same(database: Database, seed: int) -> None:
    """T28: what the simulation proves holds for the SQL, too: a good release, a hanging one, a shadow."""
    play = Twin(seed, 24, database)
    play.minutes_max = 40
    play.run()
    assert play.compared > 20
