"""What the uplink does by the clock: it reports to the cloud, drops what is too old, knows its figures."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from daemon.log_fields import fields
from edge_agent.ports import Clock, Randomness
from edge_agent.updates.figures import UpdateFigures
from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.blank_stock import SETTING as BLANKS_SETTING
from edge_agent.uplink.blank_stock import Consumption, wanted
from edge_agent.uplink.cloud_clock import SETTING as CLOCK_SETTING
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.delivery_events import SpoolAgain
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.packaging import Packager, Stamp
from edge_agent.uplink.ports import Link, Spool
from edge_agent.uplink.spool_rules import AgeGuard
from edge_agent.uplink.spooled import SpoolStats, Write
from wire_protocol.limits import FRAME_MAX_AGE_MS
from wire_protocol.messages import Counter as CounterUp
from wire_protocol.messages import ReportUp
from wire_protocol.topics import Up

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_S: Final = 5.0
_SAVE_CLOCK_EVERY_MS: Final = 600_000
_NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_COUNTERS_MAX: Final = 64


@dataclass(slots=True)
class Figures:
    """The uplink as it was a moment ago, for metrics, reports and people: nobody waits for a disk."""

    stats: SpoolStats | None = None
    blanks_left: int = 0
    spool_refuses: bool = False
    clock_behind: bool = False


@dataclass(frozen=True, slots=True)
class CareParts:
    """What caring needs.

    Args:
        told: The delivery, for what changed in the spool.
        blanks: Told how many blanks are left.
        model: Digest and version of the model in use, if there is one.
        executor: One thread that yields to requests.
        certificate_until: When the register's certificate ends.
        camera: The camera's state.
        releases: How the register's releases are, where it takes any.
        wanted_every_s: How often the cloud wants a report, where it said so.
    """

    spool: Spool
    link: Link
    packager: Packager
    clock: Clock
    cloud_clock: CloudClock
    randomness: Randomness
    agent_version: str
    report_every_s: float
    told: Callable[[SpoolAgain], None]
    blanks: Callable[[int], None]
    model: Callable[[], tuple[str, str] | None]
    executor: Executor
    certificate_until: Callable[[], int | None] = lambda: None
    camera: Callable[[], str | None] = lambda: None
    releases: Callable[[], UpdateFigures] = UpdateFigures
    wanted_every_s: Callable[[], float | None] = lambda: None


class Care:
    """Runs until cancelled."""

    def __init__(self, parts: CareParts) -> None:
        self._parts = parts
        self._started_ns = parts.clock.monotonic_ns()
        self._due = asyncio.Event()
        self._connected = False
        self._age = AgeGuard()
        self._saved_floor_ms = parts.cloud_clock.floor_ms
        self._blanks_used = 0
        self._consumption: Consumption | None = None
        self.figures = Figures()

    def connected(self) -> None:
        """The broker accepted us: tell the cloud who is there and how it is."""
        self._connected = True
        self._due.set()

    def blanks_came(self) -> None:
        """New blanks lie in the spool."""
        self._due.set()

    def changed(self) -> None:
        """The model, or how far its update is, changed: the cloud hears of it at once."""
        self._due.set()

    def blank_used(self) -> None:
        """A consent was granted."""
        self._blanks_used += 1

    async def run(self) -> None:
        """Look every few seconds; report when it is time."""
        next_report_ns = 0
        while True:
            await self._look()
            now_ns = self._parts.clock.monotonic_ns()
            every_s = self._parts.wanted_every_s() or self._parts.report_every_s
            # Before the report is made: what changes meanwhile is worth another.
            due, online = self._due.is_set(), self._connected
            self._due.clear()
            self._connected = False
            if online or due or now_ns >= next_report_ns:
                await self._report(online=online)
                next_report_ns = now_ns + round(every_s * _NS_PER_S)
            try:
                await asyncio.wait_for(self._due.wait(), min(LOOK_EVERY_S, every_s))
            except TimeoutError:
                continue

    async def _look(self) -> None:
        try:
            released = await self._off_loop(self._look_off_loop)
            self.figures.spool_refuses = False
        except SpoolError as error:
            if not self.figures.spool_refuses:
                log.warning("spool.refused", extra=fields(step="care", error=str(error), remedy=error.remedy))
            self.figures.spool_refuses = True
            return
        self._parts.blanks(self.figures.blanks_left)
        if released:
            self._parts.told(SpoolAgain())

    def _look_off_loop(self) -> bool:
        """Everything that may wait for the disk; whether messages that were set aside may go again."""
        parts, figures = self._parts, self.figures
        clock_ms, monotonic_ms = parts.clock.now_ms(), parts.clock.monotonic_ns() // _NS_PER_MS
        self._tell_of_clock(clock_ms)
        now_ms = parts.cloud_clock.now_ms(clock_ms)
        before_ms = self._age.expires_before(now_ms, monotonic_ms, FRAME_MAX_AGE_MS)
        if before_ms is not None and (dropped := parts.spool.expire(before_ms)):
            log.warning("frames.too_old", extra=fields(dropped=dropped))
        self._remember(now_ms)
        parts.spool.flush()
        aside = _set_aside(figures.stats)
        figures.stats = parts.spool.stats()
        figures.blanks_left = parts.spool.blanks_left(now_ms)
        return _set_aside(figures.stats) < aside

    def _remember(self, now_ms: int) -> None:
        """Keep what must outlive a restart, where it changed."""
        parts, floor_ms = self._parts, self._parts.cloud_clock.floor_ms
        if self._consumption is None:
            self._consumption = Consumption.parse(parts.spool.setting(BLANKS_SETTING))
        settings = {}
        used, self._blanks_used = self._blanks_used, 0
        for _ in range(used):
            self._consumption.note(now_ms)
        if used:
            settings[BLANKS_SETTING] = self._consumption.text()
        if floor_ms - self._saved_floor_ms >= _SAVE_CLOCK_EVERY_MS:
            settings[CLOCK_SETTING] = str(floor_ms)
        if settings:
            parts.spool.write(Write(settings=settings))
            self._saved_floor_ms = floor_ms

    def _tell_of_clock(self, clock_ms: int) -> None:
        behind = self._parts.cloud_clock.is_behind(clock_ms)
        if behind and not self.figures.clock_behind:
            log.error(
                "clock.behind",
                extra=fields(
                    seconds=round((self._parts.cloud_clock.floor_ms - clock_ms) / 1000),
                    remedy="Set this till's clock: `timedatectl set-ntp true`.",
                ),
            )
        self.figures.clock_behind = behind

    async def _report(self, *, online: bool) -> None:
        try:
            # Asked here, on the loop's thread, where what it says is changed.
            releases = self._parts.releases()
            await self._off_loop(partial(self._report_off_loop, releases, online=online))
        except SpoolError as error:
            log.warning("spool.refused", extra=fields(step="report", error=str(error), remedy=error.remedy))

    def _report_off_loop(self, releases: UpdateFigures, *, online: bool) -> None:
        """Reports are of use only when new, so nothing is spooled: without a connection they are nothing."""
        parts = self._parts
        if online:
            since_ms = parts.clock.now_ms()
            stamp = self._stamp()
            status = parts.packager.status(
                stamp, online=True, since_ms=since_ms, agent_version=parts.agent_version
            )
            parts.link.publish(stamp.message_id, str(parts.packager.topic(Up.STATUS)), status)
        stamp = self._stamp()
        report = parts.packager.report(stamp, self._report_payload(stamp.at_ms, releases))
        parts.link.publish(stamp.message_id, str(parts.packager.topic(Up.REPORT)), report)

    def _report_payload(self, now_ms: int, releases: UpdateFigures) -> ReportUp:
        parts, stats = self._parts, self.figures.stats
        lanes = {} if stats is None else stats.lanes
        model = parts.model()
        peak = 0 if self._consumption is None else self._consumption.peak_per_day
        return ReportUp(
            agent_version=parts.agent_version,
            at=now_ms,
            uptime_s=(parts.clock.monotonic_ns() - self._started_ns) // _NS_PER_S,
            blanks_left=self.figures.blanks_left,
            blanks_wanted=wanted(self.figures.blanks_left, peak),
            spooled_messages=sum(lane.account.spooled for lane in lanes.values()),
            spooled_bytes=sum(lane.size_bytes for lane in lanes.values()),
            counters=counters(stats),
            model_digest=None if model is None else model[0],
            model_version=None if model is None else model[1],
            generation=releases.generation,
            release=releases.release,
            certificate_until=parts.certificate_until(),
            camera=parts.camera(),
            update=releases.update,
            metadata=releases.metadata,
            health=releases.health,
            shadow=releases.shadow,
        )

    def _stamp(self) -> Stamp:
        parts = self._parts
        now_ms = parts.cloud_clock.now_ms(parts.clock.now_ms())
        return Stamp(parts.randomness(16), parts.spool.next_sequence(), now_ms)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parts.executor, work)


def counters(stats: SpoolStats | None) -> tuple[CounterUp, ...]:
    """The account of every lane, as a report carries it; what is zero is left out."""
    if stats is None:
        return ()
    named: list[tuple[str, int]] = []
    for lane, of_lane in stats.lanes.items():
        one = of_lane.account
        named += [
            (f"{lane.label}.captured", one.captured),
            (f"{lane.label}.{Fate.STORED}", one.stored),
            (f"{lane.label}.{Fate.REFUSED}", one.refused),
            (f"{lane.label}.{Fate.GONE}", one.gone),
            (f"{lane.label}.{Fate.WITHOUT_CONSENT}", one.without_consent),
            *((f"{lane.label}.{Fate.DROPPED}.{why}", count) for why, count in one.dropped.items()),
        ]
    return tuple(CounterUp(name, value) for name, value in named if value)[:_COUNTERS_MAX]


def _set_aside(stats: SpoolStats | None) -> int:
    return 0 if stats is None else sum(sum(lane.set_aside.values()) for lane in stats.lanes.values())
