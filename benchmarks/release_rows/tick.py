"""The rollout controller's look at a chain: ten thousand registers in twenty rollouts, on PostgreSQL."""

import shutil
import time
from pathlib import Path

from sqlalchemy import insert, update

from benchmarks.measure import spread
from benchmarks.processes import ProgramError, cpu_seconds
from benchmarks.release_stack import load
from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.verdict import Figure, Goal
from cloud.database.engine import Database
from cloud.database.schema import register_groups, register_health, registers
from cloud.principal import Principal, Role
from cloud.rollout import tick as controller
from cloud.rollout.desk import Desk
from cloud.rollout.values import Gates, Plan, Stage, State
from tests.builders.cloud_database import add_tenants, postgres_service
from tests.builders.fleet_rows import add_releases, digest_of
from tests.builders.postgres import PostgresCluster

_SIZES = (2_500, 5_000, 10_000)
_ROLLOUTS = 20
_GOAL_S = 1.0
_LINEAR = 1.25
"""Time a register at the largest size over that at the smallest; 1 is linear."""
_STEP_MS = 1000
_MINUTE_MS = 60_000
_GATES = Gates(minimum_recommendations=1_000_000_000)
"""Never enough evidence: each look reads and judges everything, and decides to wait."""


class Chain:
    """A chain in the midst of its rollouts.

    Args:
        database: The cloud's.
        size: Registers.
    """

    def __init__(self, database: Database, size: int) -> None:
        self.tenant = f"chain-{size}"
        self.size = size
        self._database = database
        self.now_ms = time.time_ns() // 1_000_000
        add_tenants(database, self.tenant)
        add_releases(database, self.tenant, self.now_ms, *range(1, _ROLLOUTS + 2))
        self._add_registers()
        self._anna = Principal(self.tenant, b"a" * 16, "anna", Role.OPERATOR)
        self._desk = Desk(database, lambda: self.now_ms)
        for number in range(_ROLLOUTS):
            plan = Plan(
                stages=(Stage("all", group=f"group-{number}", hold_s=60),),
                gates=_GATES,
                pace_per_minute=1_000_000,
                unfinished_after_s=86_400,
            )
            rollout = self._desk.plan(self._anna, number + 2, plan)
            self._desk.start(self._anna, rollout)

    def look(self) -> tuple[float, controller.Ticked]:
        """One tick: seconds, and what it came to."""
        self.now_ms += _STEP_MS
        begun = time.perf_counter()
        ticked = controller.tick(self._database, self.tenant, self.now_ms)
        return time.perf_counter() - begun, ticked

    def run_all(self) -> float:
        """Every register is told, and reports that it runs what it should; seconds of the telling ticks."""
        took_s, told = 0.0, 0
        for _ in range(20):
            tick_s, ticked = self.look()
            took_s, told = took_s + tick_s, told + ticked.told
            if told == self.size:
                break
            self.now_ms += _MINUTE_MS
        else:
            raise ProgramError(f"only {told} of {self.size} registers were told")
        with self._database.tenant(self.tenant) as connection:
            for number in range(_ROLLOUTS):
                mine = [_name(index) for index in range(number, self.size, _ROLLOUTS)]
                connection.execute(
                    update(register_health)
                    .where(register_health.c.tenant == self.tenant, register_health.c.register.in_(mine))
                    .values(
                        received_at_ms=self.now_ms,
                        generation=1,
                        running_release=number + 2,
                        running_digest=digest_of(number + 2),
                        update_release=number + 2,
                        update_state="good",
                    )
                )
        for _ in range(3):  # what the reports changed is written down
            self.look()
        return took_s

    def check(self) -> None:
        """All of it is still under way: a look that had nothing to read would be quick."""
        states = [one.state for one in self._desk.rollouts(self._anna)]
        if states != [State.RUNNING] * _ROLLOUTS:
            raise ProgramError(f"the rollouts did not stay under way: {states}")

    def _add_registers(self) -> None:
        names = [_name(index) for index in range(self.size)]
        key = [{"tenant": self.tenant, "register": name} for name in names]
        long_ago_ms = self.now_ms - 60 * _MINUTE_MS
        enrolled = [
            one | {"store": f"store-{index // 4:04d}", "state": "enrolled", "created_at_ms": long_ago_ms}
            for index, one in enumerate(key)
        ]
        health = {
            "sequence": 1,
            "received_at_ms": self.now_ms,
            "online": True,
            "online_since_ms": long_ago_ms,
            "agent_version": "0.1.0",
            "running_release": 1,
            "running_digest": digest_of(1),
            "generation": 0,
            "p50_ms": 0.3,
            "p99_ms": 3.1,
            "recommendations": 1000,
            "errors": 0,
            "crashes": 0,
            "confidence": [0, 0, 20, 30, 100, 200, 300, 200, 100, 50],
            "labels": [100] * 16,
        }
        with self._database.tenant(self.tenant) as connection:
            connection.execute(insert(registers), enrolled)
            connection.execute(insert(register_health), [one | health for one in key])
            connection.execute(
                insert(register_groups),
                [one | {"group": f"group-{index % _ROLLOUTS}"} for index, one in enumerate(key)],
            )


def tick(setting: Setting) -> Outcome:
    """Three chains in one database, looked at in turns."""
    if not Path("/usr/lib/postgresql").exists() and shutil.which("initdb") is None:
        raise NotRunError("PostgreSQL is missing; `tests/install-services` as root installs it")
    busy = load()
    with PostgresCluster() as cluster, cluster.fresh_database() as made, postgres_service(made) as database:
        chains, telling = [], {}
        for size in _SIZES:
            setting.say(f"{size} registers in {_ROLLOUTS} rollouts")
            chains.append(Chain(database, size))
            telling[size] = chains[-1].run_all()
        with cluster.connect(made.name) as connection:
            connection.execute("ANALYZE")  # as the server does by itself after a while
        samples: dict[int, list[float]] = {size: [] for size in _SIZES}
        cpu_s = dict.fromkeys(_SIZES, 0.0)
        for number in range(setting.count(20, 3) + 1):
            for chain in chains:
                before_s = _cpu_s(cluster)
                took_s, ticked = chain.look()
                if ticked.rollouts != _ROLLOUTS or ticked.told or ticked.moves:
                    raise ProgramError(f"a look that should wait did something: {ticked}")
                if number:  # the first is for warming up
                    samples[chain.size].append(took_s)
                    cpu_s[chain.size] += _cpu_s(cluster) - before_s
        for chain in chains:
            chain.check()
    return told(samples, telling, {size: cpu_s[size] / len(samples[size]) for size in _SIZES}, busy)


def told(
    samples: dict[int, list[float]], telling: dict[int, float], cpu_s: dict[int, float], busy: str
) -> Outcome:
    """The figures, in seconds by number of registers."""
    found = {size: spread(times) for size, times in samples.items()}
    small, large = min(found), max(found)
    growth = found[large].p50 / found[small].p50 / (large / small)
    growth_cpu = cpu_s[large] / cpu_s[small] / (large / small)
    by_size = ", ".join(f"{size}: {one.p50:.2f} s" for size, one in found.items())
    figures = [
        Figure(
            f"tick, {large} registers in {_ROLLOUTS} rollouts, PostgreSQL: p50",
            found[large].p50,
            "s",
            Goal(_GOAL_S),
            f"worst {found[large].worst:.2f} s; {busy}",
        ),
        Figure("  processor time of it, controller and database", cpu_s[large], "s"),
        Figure(
            f"  time a register, at {large} registers over at {small}", growth, "x", Goal(_LINEAR), by_size
        ),
        Figure("  the same, of processor time", growth_cpu, "x"),
        Figure(f"  the ticks that tell {large} registers", telling[large], "s", note="once a rollout"),
    ]
    details: dict[str, object] = {
        "s": {str(size): one.as_json() for size, one in found.items()},
        "cpu_s": {str(size): value for size, value in cpu_s.items()},
        "telling_s": {str(size): value for size, value in telling.items()},
        "load": busy,
    }
    return Outcome(figures=figures, details=details)


def _cpu_s(cluster: PostgresCluster) -> float:
    return time.process_time() + cpu_seconds(cluster.pid)


def _name(index: int) -> str:
    return f"till-{index:05d}"
