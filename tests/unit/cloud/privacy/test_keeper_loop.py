"""The keeper's tasks: one tenant's trouble, or one bad report, stops nothing else."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloud.collector.values import Delivery
from cloud.errors import DatabaseAway
from cloud.objects.ports import ObjectsAway
from cloud.privacy.errors import MasterKeyError
from cloud.privacy.keeper import BATCH
from cloud.privacy.keeper_loop import FromThreads, Pace, Troubles, run_keeper
from tests.builders.privacy_stage import Stage
from tests.builders.wire_messages import IDENTITY
from wire_protocol.errors import RefusedMessage, TopscoopError
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Topic

FAST = Pace(erase_every_s=0.001, retention_every_s=0.001)


class Watched:
    """Counts, and lets a test wait for a count."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def did(self, what: str, count: int) -> None:
        self._note(f"did {what}", 1)

    def refused(self, reason: str) -> None:
        self._note(f"refused {reason}", 1)

    def failed(self, what: str, error: TopscoopError) -> None:
        self._note(f"failed {what}: {error}", 1)

    def went_round(self, what: str) -> None:
        self._note(f"round {what}", 1)

    def _note(self, what: str, count: int) -> None:
        async def notify() -> None:
            async with self._changed:
                self.seen[what] += count
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, what: str, count: int = 1) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self.seen[what] >= count)


class Scripted:
    """A link with these deliveries, and a keeper whose steps a test writes."""

    def __init__(self, *topics: str) -> None:
        self.left = list(topics)
        self.acknowledged: list[str] = []
        self.erased: Counter[str] = Counter()

    async def next(self) -> Delivery:
        if not self.left:
            await asyncio.Event().wait()
        return Delivery(self.left.pop(0), b"", None)

    def publish(self, topic: Topic, message: bytes) -> None:
        raise AssertionError("nothing is sent here")

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery.topic)

    def hear(self, topic: str, payload: bytes) -> int:
        if topic == "forged":
            raise RefusedMessage(Reason.BAD_SIGNATURE, "forged")
        if topic == "unlucky":
            raise ObjectsAway("away")
        return 5

    def erase(self, tenant: str) -> int:
        self.erased[tenant] += 1
        if tenant == "broken":
            raise MasterKeyError("no key")
        return BATCH if self.erased[tenant] < 3 else 0

    def retention(self, tenant: str) -> int:
        if self.erased["good"] > 5:
            raise ZeroDivisionError
        return 0


async def test_bad_reports_are_acknowledged_and_the_next_one_is_served() -> None:
    script, watch = Scripted("forged", "unlucky", "good"), Watched()
    task = asyncio.create_task(run_keeper(script, script, list, FAST, watch))  # type: ignore[arg-type]
    await watch.until("did blanks")
    assert script.acknowledged == ["forged", "unlucky", "good"]
    assert watch.seen["refused bad-signature"] == watch.seen["failed blanks: away"] == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_tenants_trouble_is_no_others_and_a_defect_ends_the_process() -> None:
    script, watch = Scripted(), Watched()
    work = run_keeper(script, script, lambda: ["broken", "good"], FAST, watch)  # type: ignore[arg-type]
    with pytest.raises(ExceptionGroup) as died:
        await asyncio.wait_for(work, 30)
    assert died.group_contains(ZeroDivisionError)
    assert script.erased["good"] > 5
    assert script.erased["broken"] > 5
    assert watch.seen["round erasure"] == 0, "one tenant's failure shows in the health"
    assert watch.seen["round retention"] > 0


async def test_without_a_tenant_all_is_well() -> None:
    script, watch = Scripted(), Watched()
    task = asyncio.create_task(run_keeper(script, script, list, FAST, watch))  # type: ignore[arg-type]
    await watch.until("round erasure")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_database_that_is_away_is_asked_again() -> None:
    script, watch, answers = Scripted(), Watched(), iter([True, True])

    def tenants() -> list[str]:
        if next(answers, False):
            raise ObjectsAway("away")
        return ["good"]

    task = asyncio.create_task(run_keeper(script, script, tenants, FAST, watch))  # type: ignore[arg-type]
    await watch.until("did erasure", 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_trouble_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Twice a second a step that cannot be done is tried: counted each time, told when it begins and ends."""
    caplog.set_level(logging.INFO)
    counted: list[str] = []
    troubles = Troubles(SimpleNamespace(failed=lambda what, _: counted.append(what)))  # type: ignore[arg-type]
    for _ in range(5):
        troubles.failed("erasure", ObjectsAway("away"), "acme")
        troubles.worked("erasure", "sued")
    troubles.worked("erasure", "acme")
    troubles.worked("erasure", "acme")
    assert told(caplog) == ["keeper.waiting", "keeper.resumed"]
    assert counted == ["erasure"] * 5


def test_an_outage_of_the_database_is_told_once_for_all_steps(caplog: pytest.LogCaptureFixture) -> None:
    """Erasure, retention and reports meet the same one; it is over when the last of them works."""
    caplog.set_level(logging.INFO)
    troubles = Troubles(SimpleNamespace(failed=lambda _, __: None))  # type: ignore[arg-type]
    for _ in range(3):
        for what in ("erasure", "retention", "blanks"):
            troubles.failed(what, DatabaseAway("away"))
    for what in ("erasure", "retention", "blanks"):
        assert told(caplog) == ["database.away"]
        troubles.worked(what)
    assert told(caplog) == ["database.away", "database.back"]


async def test_what_a_thread_publishes_goes_out_in_the_loop(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    publisher = FromThreads(stage.link, asyncio.get_running_loop())
    await asyncio.to_thread(publisher.publish, Topic(IDENTITY, Down.ERASE), b"x")
    await asyncio.sleep(0)
    assert stage.link.sent == [(Topic(IDENTITY, Down.ERASE), b"x")]
    stage.close()
