"""A minute of customers at real registers while every process of the chain is killed, again and again."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloud.database import schema
from tests.builders.tiny_model import build_model_dir
from tests.builders.whole_cloud import WholeCloud
from tests.builders.whole_register import Camera, WholeRegister, painted, ring_path, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

pytestmark = [pytest.mark.soak, pytest.mark.service, pytest.mark.timeout(900)]

LOAD_S = 60
REGISTERS = (("gelateria-sole", "till-1"), ("gelateria-sole", "till-2"), ("gelateria-luna", "till-1"))
BETWEEN_CUSTOMERS_S = 0.1
CONSENTING, TAKING_BACK = 0.7, 0.1
DRAINS_WITHIN_S = 360
"""A register's back-off has grown by then, to some minutes at most."""


@dataclass
class Till(threading.Thread):
    """Serves customers whatever happens to its agent, and keeps what the agent has acknowledged."""

    register: WholeRegister
    chance: random.Random
    ended: threading.Event = field(default_factory=threading.Event)
    outcomes: set[str] = field(default_factory=set)
    consents: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    cut_off: int = 0
    error: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(name=f"till of {self.register.tenant}/{self.register.register}", daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            while not self.ended.wait(BETWEEN_CUSTOMERS_S):
                self._serve()
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it
            self.error = error

    def _serve(self) -> None:
        try:
            with self.register.client() as client:
                opened = client.post("/v1/interactions").raise_for_status().json()
                interaction = opened["interaction_id"]
                given = self._ask(client, interaction)
        except httpx.TransportError:
            self.cut_off += 1
            return  # this customer is served without us
        self._sell(interaction, opened["top3"][0]["flavour"])
        if given and self.chance.random() < TAKING_BACK:
            path = f"/v1/consents/{given['consent_id']}/withdrawal"
            self._insist(path, {"withdrawal_code": given["withdrawal_code"]}, {})
            self.withdrawn.add(_hex(given["consent_id"]))

    def _ask(self, client: httpx.Client, interaction: str) -> dict[str, Any] | None:
        notice = client.get("/v1/notice", params={"language": "de"}).raise_for_status().json()
        said: dict[str, Any] = {"granted": self.chance.random() < CONSENTING}
        if said["granted"]:
            said |= {"language": notice["language"], "notice_sha256": notice["sha256"]}
            said |= {"method": "touch", "purposes": notice["purposes"]}
        answer = client.post(f"/v1/interactions/{interaction}/consent", json=said)
        given: dict[str, Any] = answer.raise_for_status().json()
        if not said["granted"]:
            return None
        self.consents.add(_hex(given["consent_id"]))
        return given

    def _sell(self, interaction: str, flavour: str) -> None:
        sale = {"receipt_id": str(uuid.uuid4()), "lines": [{"flavour": flavour, "quantity": 1}]}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        sold = self._insist(f"/v1/interactions/{interaction}/outcome", sale, key)
        if sold is None:  # the agent was killed before the interaction was on its disk
            sold = self._insist("/v1/outcomes", sale, key)
        assert sold is not None
        self.outcomes.add(_hex(sold["outcome_id"]))

    def _insist(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any] | None:
        """As tills do: the same request until it is acknowledged; None where the agent knows no such."""
        while True:
            try:
                with self.register.client() as client:
                    answer = client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                self.cut_off += 1
                time.sleep(BETWEEN_CUSTOMERS_S)
                continue
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            told: dict[str, Any] = answer.raise_for_status().json()
            return told


@pytest.mark.parametrize("seed", [23])
def test_nothing_acknowledged_is_lost(tmp_path: Path, real_s3: CephS3, seed: int) -> None:
    """Agents, collector, keeper, broker, gateway, store die by SIGKILL; afterwards everything is there once.

    T3, T4, T17, T18, T25: each acknowledged sale and consent, and each slate of a journal, has one row, each
    stored frame one row and one version, each withdrawn consent none; every account adds up and drains.
    """
    print(f"seed {seed}")
    chance = random.Random(seed)
    with ExitStack() as stack:
        often = {"lease_s": 3, "sweep_after_s": 30, "sweep_every_s": 2}
        cloud = stack.enter_context(WholeCloud(tmp_path / "cloud", real_s3, collector=often))
        tills = [
            Till(register, random.Random(chance.random()))
            for register in enrolled_registers(stack, cloud, tmp_path)
        ]
        for till in tills:
            stack.callback(till.ended.set)
            till.start()
        kills = kill_everything(chance, cloud, real_s3, [till.register for till in tills])
        for till in tills:
            till.ended.set()
            till.join(60)
            assert till.error is None, f"seed {seed}: {till.error!r}"
            assert not till.is_alive()
        print(f"kills {kills}, requests cut off {sum(till.cut_off for till in tills)}")
        print(f"sold {sum(len(till.outcomes) for till in tills)}", end=", ")
        print(f"consented {sum(len(till.consents) for till in tills)}", end=", ")
        print(f"taken back {sum(len(till.withdrawn) for till in tills)}")
        ended_s = time.monotonic()
        everything_is_there(cloud, tills, seed)
        swept = sum(line["event"] == "version.swept" for line in cloud.events("collector"))
        took_s = time.monotonic() - ended_s
        print(f"drained {took_s:.0f} s after the last kill, {swept} versions without a row swept")


def enrolled_registers(stack: ExitStack, cloud: WholeCloud, folder: Path) -> list[WholeRegister]:
    """Registers of two chains, each with a camera and an agent that runs."""
    registers = []
    for tenant in dict.fromkeys(tenant for tenant, _ in REGISTERS):
        cloud.command("tenant", "add", tenant)
        build_model_dir(folder / f"model-{tenant}", tenant=tenant, golden=False)
    for number, (tenant, name) in enumerate(REGISTERS):
        ring = ring_path()
        stack.enter_context(Camera(ring, painted(b"soak", seed=number)))
        register = WholeRegister(
            folder / f"{tenant}-{name}", tenant, name, folder / f"model-{tenant}", f"synthetic:{ring}"
        )
        register.enrol(cloud.enrol_url, cloud.add_register(tenant, name))
        registers.append(stack.enter_context(register))
    return registers


def kill_everything(
    chance: random.Random, cloud: WholeCloud, s3: CephS3, registers: list[WholeRegister]
) -> dict[str, int]:
    """One or two at a time, for a minute; how often each was killed. What others need comes back first."""
    victims: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "store": (s3.kill_store, s3.start_store),
        "gateway": (s3.kill_gateway, s3.start_gateway),
        "broker": (lambda: cloud.kill("broker"), lambda: cloud.start("broker")),
        "collector": (lambda: cloud.kill("collector"), lambda: cloud.start("collector")),
        "keeper": (lambda: cloud.kill("keeper"), lambda: cloud.start("keeper")),
    }
    for register in registers:
        victims[f"agent {register.tenant}/{register.register}"] = (register.kill, register.start)
    kills = dict.fromkeys(victims, 0)
    waiting: list[str] = []
    ends_s = time.monotonic() + LOAD_S
    while time.monotonic() < ends_s:
        time.sleep(chance.uniform(0.2, 1.5))  # load between the kills, not something to wait for
        if not waiting:  # everybody's turn comes, in an order by chance
            waiting = chance.sample(list(victims), len(victims))
        chosen = [waiting.pop() for _ in range(min(len(waiting), chance.choice((1, 1, 2))))]
        for name in chosen:
            kills[name] += 1
            victims[name][0]()
        time.sleep(chance.uniform(0, 1))
        for name in (name for name in victims if name in chosen):
            victims[name][1]()
    return kills


def everything_is_there(cloud: WholeCloud, tills: list[Till], seed: int) -> None:
    """Spools empty themselves; then rows, versions and accounts are compared."""
    for tenant in dict.fromkeys(tenant for tenant, _ in REGISTERS):
        own = [till for till in tills if till.register.tenant == tenant]
        outcomes = set().union(*(till.outcomes for till in own))
        consents = set().union(*(till.consents for till in own))
        withdrawn = set().union(*(till.withdrawn for till in own))

        def missing(
            tenant: str = tenant,
            outcomes: set[str] = outcomes,
            own: list[Till] = own,
            consents: set[str] = consents,
        ) -> dict[str, int]:
            """How many rows differ from what agents acknowledged, slates from what their journals hold."""
            return {
                "outcomes": len(outcomes - ids(cloud, schema.outcomes, tenant, "outcome")),
                "interactions": len(journaled(own) ^ ids(cloud, schema.interactions, tenant, "interaction")),
                "consents": len(consents - ids(cloud, schema.consents, tenant, "consent")),
            }

        def arrived(own: list[Till] = own, missing: Callable[[], dict[str, int]] = missing) -> bool:
            return not any(missing().values()) and all(till.register.drained() for till in own)

        try:
            wait_for(arrived, "everything has arrived", DRAINS_WITHIN_S)
        except AssertionError:
            lanes = [till.register.lanes() for till in own]
            raise AssertionError(f"seed {seed}: {tenant} still lacks {missing()}; spools {lanes}") from None
        erased_and_swept(cloud, tenant, withdrawn, seed)
        accounts_add_up(cloud, own, seed)
        kept = {row.consent.hex() for row in cloud.rows(schema.frames, tenant)}
        assert consents - withdrawn <= kept, f"seed {seed}: a consented picture has no row"


def accounts_add_up(cloud: WholeCloud, tills: list[Till], seed: int) -> None:
    """Nothing lost in any lane; what registers call stored has its row; nothing was refused."""
    tenant = tills[0].register.tenant
    rows = cloud.rows(schema.frames, tenant)
    for till in tills:
        lanes = till.register.spool_status()["lanes"]
        for name, lane in lanes.items():
            odd = (lane["lost"], lane["refused"], lane["set_aside"])
            assert odd == (0, 0, {}), f"seed {seed}: {name} {lane}"
        frames = lanes["frames"]
        own = sum(row.register == till.register.register for row in rows)
        # A frame that was stored, erased and offered again for want of a receipt ends as `gone`.
        assert frames["stored"] <= own <= frames["stored"] + frames["gone"], (
            f"seed {seed}: {frames}, {own} rows"
        )
    stored = [row for row in cloud.rows(schema.messages, tenant) if row.state == "stored"]
    of_kind = {kind: {row.message_id for row in stored if row.kind == kind} for kind in ("frame", "outcome")}
    kept = {row.message_id for row in rows if row.erased_at_ms is None}
    sold = {row.outcome for row in cloud.rows(schema.outcomes, tenant)}
    assert of_kind == {"frame": kept, "outcome": sold}, f"seed {seed}"
    assert cloud.rows(schema.refusals, tenant) == []
    assert cloud.rows(schema.quarantine, tenant) == []


def erased_and_swept(cloud: WholeCloud, tenant: str, withdrawn: set[str], seed: int) -> None:
    """Each withdrawn consent is erased; each other frame has one version, and nothing else lies there."""

    def erased() -> bool:
        rows = cloud.rows(schema.withdrawals, tenant)
        done = {row.consent.hex() for row in rows if row.versions_deleted_at_ms is not None}
        return done == withdrawn

    def named() -> list[tuple[str, str]]:
        rows = cloud.rows(schema.frames, tenant)
        return sorted((row.object_key, row.version) for row in rows if row.consent.hex() not in withdrawn)

    wait_for(erased, f"seed {seed}: what was withdrawn is erased", 120)
    wait_for(
        lambda: sorted(cloud.versions(f"frames/{tenant}/")) == named(),
        f"seed {seed}: one version for each frame",
        120,
    )


def journaled(tills: list[Till]) -> set[str]:
    """The slates that registers have on disk: one that was shown a moment before SIGKILL may not be there."""
    found = set()
    for till in tills:
        with closing(sqlite3.connect(till.register.data_dir / "journal.db")) as journal:
            found |= {_hex(row[0]) for row in journal.execute("SELECT interaction_id FROM impression")}
    return found


def ids(cloud: WholeCloud, table: Any, tenant: str, column: str) -> set[str]:
    """A column of ids, in hexadecimal."""
    return {getattr(row, column).hex() for row in cloud.rows(table, tenant)}


def _hex(identifier: str) -> str:
    return identifier.replace("-", "")
