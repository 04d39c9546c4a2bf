"""The tasks of a controller: reports are kept before they are acknowledged, and troubles are one chain's."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cloud.collector.values import Delivery
from cloud.errors import DatabaseAway, ServiceKeyMissing
from cloud.rollout.errors import UnreadableRollout
from cloud.rollout.intake import Taken
from cloud.rollout.outbox import Letter, Order
from cloud.rollout.rollout_loop import Work, run_rollouts
from cloud.rollout.tick import Ticked
from wire_protocol.errors import TopscoopError
from wire_protocol.fleet_messages import DesiredDown, Settings
from wire_protocol.topics import Down, Identity, Topic


class Link:
    """A broker in memory."""

    def __init__(self, deliveries: Sequence[Delivery] = ()) -> None:
        self.waiting: asyncio.Queue[Delivery] = asyncio.Queue()
        for delivery in deliveries:
            self.waiting.put_nowait(delivery)
        self.acknowledged: asyncio.Queue[Delivery] = asyncio.Queue()
        self.retained: asyncio.Queue[Topic] = asyncio.Queue()
        self.away = 0

    async def next(self) -> Delivery:
        return await self.waiting.get()

    def retain(self, topic: Topic, message: bytes) -> bool:
        assert message
        if self.away:
            self.away -= 1
            return False
        self.retained.put_nowait(topic)
        return True

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.put_nowait(delivery)

    async def ready(self) -> None: ...


class Watch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.rounds = asyncio.Event()

    def took(self, taken: Taken) -> None: ...

    def ticked(self, ticked: Ticked, seconds: float) -> None: ...

    def published(self, count: int) -> None: ...

    def went_round(self) -> None:
        self.rounds.set()

    def failed(self, what: str, error: TopscoopError) -> None:
        assert str(error)
        self.failures.append(what)


class Outbox:
    """One letter a chain, until it was published."""

    def __init__(self, *tenants: str, keyless: str = "") -> None:
        self.letters = {tenant: [_letter(tenant)] for tenant in tenants}
        self.keyless = keyless

    def take(self, tenant: str, limit: int) -> list[Letter]:
        if tenant == self.keyless:
            raise ServiceKeyMissing("fleet.pem is missing", remedy="Restore it.")
        return self.letters.get(tenant, [])[:limit]

    def published(self, tenant: str, orders: Sequence[Order]) -> None:
        self.letters[tenant] = [one for one in self.letters[tenant] if one.order not in orders]


class Intake:
    """Fails so many times, and then takes."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.batches: list[int] = []

    def take(self, deliveries: Sequence[Delivery]) -> Taken:
        if self.failures:
            self.failures -= 1
            raise DatabaseAway("the database does not answer")
        self.batches.append(len(deliveries))
        return Taken(reports=len(deliveries))


def _letter(tenant: str) -> Letter:
    identity = Identity(tenant, "till-1")
    order = Order(identity, 1, DesiredDown(1, Settings()))
    return Letter(order, Topic(identity, Down.DESIRED), b"signed")


def _work(intake: Any, outbox: Any, tick: Callable[[str], Ticked], *tenants: str) -> Work:
    return Work(intake, outbox, tick, lambda: list(tenants), 0.01)


async def _until(running: "asyncio.Task[None]", wanted: Any) -> Any:
    found = await asyncio.wait_for(wanted, 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return found


async def test_reports_are_acknowledged_after_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away they stay here, and with the broker."""
    monkeypatch.setattr("cloud.rollout.rollout_loop._AGAIN_S", 0.0)
    link, watch, intake = Link([Delivery("t", b"1", 1), Delivery("t", b"2", 2)]), Watch(), Intake(failures=3)
    running = asyncio.create_task(run_rollouts(_work(intake, Outbox(), lambda _: Ticked()), link, watch))
    first = await asyncio.wait_for(link.acknowledged.get(), 30)
    second = await _until(running, link.acknowledged.get())
    assert [first.ticket, second.ticket] == [1, 2]
    assert watch.failures == ["intake"] * 3
    assert intake.batches == [2]


async def test_a_chain_without_its_key_keeps_no_other_from_its_orders(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told once, with what to do."""
    link, watch, outbox = Link(), Watch(), Outbox("nord", keyless="sued")
    work = _work(Intake(), outbox, lambda _: Ticked(), "sued", "nord")
    with caplog.at_level(logging.ERROR):
        running = asyncio.create_task(run_rollouts(work, link, watch))
        topic = await asyncio.wait_for(link.retained.get(), 30)
        while watch.failures.count("publish") < 3:
            watch.rounds.clear()
            await watch.rounds.wait()
        await _until(running, asyncio.sleep(0))
    assert topic.identity.tenant == "nord"
    assert outbox.letters["nord"] == []
    assert [record.message for record in caplog.records] == ["rollout.waiting"]


async def test_what_the_broker_did_not_take_is_published_again() -> None:
    link, outbox = Link(), Outbox("nord")
    link.away = 2
    running = asyncio.create_task(
        run_rollouts(_work(Intake(), outbox, lambda _: Ticked(), "nord"), link, Watch())
    )
    await _until(running, link.retained.get())
    assert link.away == 0


async def test_a_tick_that_fails_is_tried_again() -> None:
    """The database was away; the round is not counted as one that went well."""
    ticks: list[str] = []

    def tick(tenant: str) -> Ticked:
        ticks.append(tenant)
        if len(ticks) == 1:
            raise DatabaseAway("the database does not answer")
        return Ticked()

    watch = Watch()
    running = asyncio.create_task(run_rollouts(_work(Intake(), Outbox(), tick, "nord"), Link(), watch))
    await _until(running, watch.rounds.wait())
    assert watch.failures == ["tick"]
    assert len(ticks) >= 2


async def test_a_chain_that_cannot_be_read_keeps_no_other_from_its_ticks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T28: its rollouts hold, and it is told once; the other chains' go on."""
    ticks: list[str] = []

    def tick(tenant: str) -> Ticked:
        ticks.append(tenant)
        if tenant == "sued":
            raise UnreadableRollout("rollout 00 of sued cannot be read", remedy="Run the newer version.")
        return Ticked()

    watch = Watch()
    work = _work(Intake(), Outbox(), tick, "sued", "nord")
    with caplog.at_level(logging.ERROR):
        running = asyncio.create_task(run_rollouts(work, Link(), watch))
        while ticks.count("nord") < 3:
            watch.rounds.clear()
            await asyncio.wait_for(watch.rounds.wait(), 30)
        await _until(running, asyncio.sleep(0))
    assert watch.failures.count("tick") >= 3
    assert [record.message for record in caplog.records] == ["rollout.waiting"]
