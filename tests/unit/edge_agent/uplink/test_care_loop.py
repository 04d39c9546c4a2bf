"""Reports, ages and figures."""

import asyncio
from collections.abc import Callable
from typing import Any

from edge_agent.updates.figures import UpdateFigures
from edge_agent.uplink.care_loop import Care, CareParts
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.delivery_events import SpoolAgain
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from tests.builders.records import interaction_id, seeded_randomness
from tests.builders.uplink import PaperDesk, ToldLink
from wire_protocol.fleet_messages import UpdateProgress, UpdateState
from wire_protocol.messages import ReportUp, StatusUp


class Looked:
    """A care loop over a memory spool."""

    def __init__(self, shop: PaperDesk, floor_ms: int = 0, **more: Any) -> None:
        self.shop, self.link = shop, ToldLink()
        self.told: list[SpoolAgain] = []
        self.blanks: list[int] = []
        self.care = Care(
            CareParts(
                spool=shop.spool,
                link=self.link,
                packager=shop.packager,
                clock=shop.clock,
                cloud_clock=CloudClock(floor_ms),
                randomness=seeded_randomness(4),
                agent_version="1.2",
                report_every_s=300,
                told=self.told.append,
                blanks=self.blanks.append,
                model=lambda: ("a" * 64, "7"),
                executor=shop.executor,
                **more,
            )
        )

    async def run_until(self, condition: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.care.run())
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - the link in memory tells nobody
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_connection_is_answered_with_status_and_report() -> None:
    """The report says what waits, how few blanks are left, and asks for more."""
    shop = PaperDesk(blanks=3)
    yes = shop.yes().yes
    assert yes is not None
    shop.desk.grant(interaction_id(1), yes, shop.clock.now_ms())
    looked = Looked(shop)
    looked.care.connected()
    await looked.run_until(lambda: len(looked.link.published) >= 2)
    status, report = (
        shop.cloud.verify(topic, message).payload for _, topic, message in looked.link.published[:2]
    )
    assert isinstance(status, StatusUp)
    assert status.online
    assert isinstance(report, ReportUp)
    assert (report.blanks_left, report.blanks_wanted) == (2, 48)
    assert (report.spooled_messages, report.model_version) == (1, "7")
    assert ("consents.captured", 1) in [(counter.name, counter.value) for counter in report.counters]
    assert looked.blanks == [2]
    shop.executor.shutdown()


async def test_messages_carry_the_clouds_time_when_the_clock_is_years_behind_t15() -> None:
    """T15: the floor is the latest signed time, and the figures say that the clock is wrong."""
    shop = PaperDesk()
    floor_ms = shop.clock.now_ms() + 365 * 86_400_000
    looked = Looked(shop, floor_ms)
    await looked.run_until(lambda: bool(looked.link.published))
    _, topic, message = looked.link.published[-1]
    assert shop.cloud.verify(topic, message).header.at_ms == floor_ms
    assert looked.care.figures.clock_behind
    shop.executor.shutdown()


async def test_a_disk_that_refuses_is_seen_and_forgotten_when_it_is_back_t12() -> None:
    """T12: the loop goes on without figures, and has them again."""
    shop = PaperDesk()
    looked = Looked(shop)
    shop.spool.count("frames.captured")
    shop.spool.fault = SpoolError("disk full")
    await looked.care._look()
    assert looked.care.figures.spool_refuses
    shop.spool.fault = None
    await looked.care._look()
    assert not looked.care.figures.spool_refuses
    assert looked.care.figures.stats is not None
    shop.executor.shutdown()


async def test_what_a_person_released_is_offered_again() -> None:
    """`topscoop edge spool retry` on a spool that stands still is noticed at the next look."""
    shop = PaperDesk()
    yes = shop.yes().yes
    assert yes is not None
    shop.desk.grant(interaction_id(1), yes, shop.clock.now_ms())
    (entry,) = shop.spool.candidates(Lane.CONSENTS, 0, 1)
    shop.spool.set_aside(entry.message_id, "too large")
    looked = Looked(shop)
    await looked.care._look()
    assert looked.told == []
    shop.spool.release()
    await looked.care._look()
    assert looked.told == [SpoolAgain()]
    shop.executor.shutdown()


async def test_a_change_of_the_model_is_reported_at_once() -> None:
    """With release, state, certificate and camera; what changes while a report is made is worth another."""
    shop = PaperDesk(blanks=1)
    progress = UpdateProgress(b"t" * 16, 4, UpdateState.TRIAL, 5)
    looked = Looked(
        shop,
        releases=lambda: UpdateFigures(generation=9, release=4, update=progress),
        certificate_until=lambda: 77,
        camera=lambda: "live",
        wanted_every_s=lambda: 3600.0,
    )
    await looked.run_until(lambda: len(looked.link.published) == 1)
    for count in (2, 3):
        looked.care.changed()
        await looked.run_until(lambda count=count: len(looked.link.published) >= count)  # type: ignore[misc]
    _, topic, message = looked.link.published[-1]
    report = shop.cloud.verify(topic, message).payload
    assert isinstance(report, ReportUp)
    assert (report.generation, report.release, report.update) == (9, 4, progress)
    assert (report.certificate_until, report.camera) == (77, "live")
    shop.executor.shutdown()
