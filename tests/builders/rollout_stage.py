"""A chain with shops, registers and releases in a real database, and everything that serves its rollouts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from cloud.collector.values import Delivery
from cloud.database.schema import (
    audit,
    desired_states,
    register_keys,
    registers,
    releases,
    repositories,
    rollout_members,
)
from cloud.principal import Principal, Role
from cloud.rollout.desk import Desk
from cloud.rollout.intake import Intake, Taken
from cloud.rollout.outbox import Outbox
from cloud.rollout.tick import Ticked, tick
from cloud.rollout.values import Gates, MemberState, Plan, Stage
from tests.builders.cloud_database import add_tenants
from tests.builders.wire_messages import ed25519_key, sign
from wire_protocol import envelope
from wire_protocol.envelope import Header
from wire_protocol.fleet_messages import ModelHealth, UpdateProgress, UpdateState
from wire_protocol.messages import Payload, ReportUp, StatusUp
from wire_protocol.topics import Identity, Topic, Up

if TYPE_CHECKING:
    from cloud.database.engine import Database
    from wire_protocol.fleet_messages import DesiredDown

TENANT = "gelateria-nord"
NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000
BUDGET_MS = 10.0
ANNA = Principal(TENANT, b"a" * 16, "anna", Role.OPERATOR)
BRUNO = Principal(TENANT, b"b" * 16, "bruno", Role.OPERATOR)
CHIARA = Principal(TENANT, b"c" * 16, "chiara", Role.ADMIN)
DARIO = Principal(TENANT, b"d" * 16, "dario", Role.VIEWER)

QUICK = Plan(
    stages=(Stage("first", count=1, hold_s=0), Stage("all", share=1.0, hold_s=0)),
    gates=Gates(minimum_recommendations=10, confidence_drift=None, label_drift=None),
    pace_per_minute=1000,
)
"""Two stages that pass as soon as their registers have answered ten times."""


def digest_of(release: int) -> str:
    """The digest of a release's network."""
    return f"{release:064x}"


@dataclass
class RolloutStage:
    """The stage; time stands until a test moves `now_ms`."""

    database: Database
    count: int = 4
    now_ms: int = NOW_MS
    sequence: int = 100
    published: list[tuple[str, DesiredDown]] = field(default_factory=list)

    def __post_init__(self) -> None:
        add_tenants(self.database, TENANT, "other")
        self.desk = Desk(self.database, lambda: self.now_ms)
        self.intake = Intake(self.database, lambda: self.now_ms)
        self.fleet_key = ed25519_key("fleet")
        self.outbox = Outbox(self.database, lambda _: self.fleet_key, lambda: self.now_ms, bytes)
        self.names = [f"till-{number}" for number in range(self.count)]
        for name in self.names:
            self.add_register(name, f"shop-{int(name[5:]) % 2}")
        for release in (1, 2):
            self.add_release(release)

    # ---- what is there ----

    def add_register(self, name: str, store: str) -> None:
        key = ed25519_key(name)
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(registers).values(
                    tenant=TENANT, register=name, store=store, state="enrolled", created_at_ms=0
                )
            )
            connection.execute(
                insert(register_keys).values(
                    tenant=TENANT,
                    register=name,
                    kid=key.kid,
                    algorithm=int(key.verification_key.algorithm),
                    public=key.verification_key.public,
                    valid_from_ms=0,
                )
            )

    def add_release(self, release: int) -> None:
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(releases).values(
                    tenant=TENANT,
                    release=release,
                    name="little",
                    version=f"2026.{release}",
                    digest=digest_of(release),
                    target=f"releases/{release}/model.onnx",
                    bytes=1000,
                    budget_p99_ms=BUDGET_MS,
                    minimum_agent="0",
                    manifest={},
                    report={},
                    listed_at_ms=0,
                )
            )

    def withdraw(self, release: int) -> None:
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                update(releases)
                .where(releases.c.tenant == TENANT, releases.c.release == release)
                .values(withdrawn_at_ms=self.now_ms, withdrawn_reason="wrong labels")
            )

    def set_floor(self, release: int) -> None:
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(repositories).values(tenant=TENANT, root=b"", trusted_at_ms=0, minimum_release=release)
            )

    def revoke(self, name: str) -> None:
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                update(registers)
                .where(registers.c.tenant == TENANT, registers.c.register == name)
                .values(state="revoked")
            )

    # ---- what happens ----

    def rolled_out(self, release: int = 1, plan: Plan = QUICK) -> bytes:
        """A rollout that anna planned and started."""
        rollout = self.desk.plan(ANNA, release, plan)
        self.desk.start(ANNA, rollout)
        return rollout

    def tick(self, minutes: int = 0) -> Ticked:
        """Time passes, and a controller looks; then it publishes."""
        self.now_ms += minutes * MINUTE_MS
        ticked = tick(self.database, TENANT, self.now_ms)
        letters = self.outbox.take(TENANT, 1000)
        for letter in letters:
            unverified = envelope.parse(letter.message, letter.topic)
            self.published.append((letter.order.identity.register, letter.order.desired))
            assert unverified.header.topic == letter.topic
        self.outbox.published(TENANT, [letter.order for letter in letters])
        return ticked

    def says(self, name: str, payload: Payload, kind: Up, **changes: Any) -> Delivery:
        """A message of a register, signed."""
        self.sequence += 1
        topic = Topic(Identity(TENANT, name), kind)
        header = Header(topic, self.sequence.to_bytes(16, "big"), self.sequence, self.now_ms)
        example = sign(replace(header, **changes), payload, (), ed25519_key(name))
        return Delivery(str(topic), example.message, None)

    def report(self, name: str, **changes: Any) -> Delivery:
        """A report; `good(release)` and the like give the usual changes."""
        payload = ReportUp(
            agent_version="0.3.0",
            at=self.now_ms,
            uptime_s=60,
            blanks_left=100,
            blanks_wanted=0,
            spooled_messages=0,
            spooled_bytes=0,
            counters=(),
        )
        return self.says(name, replace(payload, **changes), Up.REPORT)

    def take(self, *deliveries: Delivery) -> Taken:
        return self.intake.take(deliveries)

    def online(self, *names: str) -> None:
        self.take(
            *(
                self.says(name, StatusUp(online=True, since=self.now_ms, agent_version="0.3.0"), Up.STATUS)
                for name in names
            )
        )

    def all_do(self, state: UpdateState = UpdateState.GOOD, release: int = 1, **changes: Any) -> None:
        """Every register that was told says so."""
        told = dict(self.published)
        self.take(
            *(
                self.report(name, **good(release, desired.generation, state=state), **changes)
                for name, desired in told.items()
                if desired.release == release
            )
        )

    def until_done(self, release: int = 1) -> None:
        """Everything goes well, to the end."""
        for _ in range(8):
            self.tick(1)
            self.all_do(release=release)

    # ---- what is kept ----

    def states(self, rollout: bytes) -> dict[str, MemberState]:
        return {member.register: member.state for member in self.desk.rollout(DARIO, rollout).members}

    def desired(self) -> dict[str, tuple[int, int | None]]:
        """Register -> generation and release."""
        found = select(desired_states).where(desired_states.c.tenant == TENANT)
        with self.database.tenant(TENANT, read_only=True) as connection:
            return {row.register: (row.generation, row.release) for row in connection.execute(found)}

    def members(self, rollout: bytes) -> list[Any]:
        found = select(rollout_members).where(
            rollout_members.c.tenant == TENANT, rollout_members.c.rollout == rollout
        )
        with self.database.tenant(TENANT, read_only=True) as connection:
            return list(connection.execute(found))

    def audited(self) -> list[str]:
        found = select(audit.c.action).where(audit.c.tenant == TENANT).order_by(audit.c.entry)
        with self.database.tenant(TENANT, read_only=True) as connection:
            return list(connection.execute(found).scalars())


def good(release: int, generation: int, *, state: UpdateState = UpdateState.GOOD) -> dict[str, Any]:
    """What a register reports that runs a release and has answered twenty times."""
    return {
        "generation": generation,
        "model_digest": digest_of(release),
        "release": release,
        "update": UpdateProgress(bytes(16), release, state, NOW_MS),
        "health": health(),
    }


def health(**changes: Any) -> ModelHealth:
    """Twenty answers, quick and good."""
    usual = ModelHealth(
        since=NOW_MS,
        recommendations=20,
        errors=0,
        crashes=0,
        nobody=0,
        p50_ms=0.3,
        p99_ms=3.1,
        confidence=(0, 0, 0, 2, 4, 6, 4, 2, 1, 1),
        labels=(8, 6, 4, 2),
    )
    return replace(usual, **changes)
