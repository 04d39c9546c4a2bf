"""A yes from the customer's own phone: the display shows a code, the cloud brings the answer, or time is up.

The picture waits longer only when a code was made for it. The answer takes the way of a touch on the display:
the same check of the notice, the same blank, the same sealing (`consent_loop`).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from daemon.log_fields import fields
from edge_agent.errors import (
    ConflictError,
    NoBlanksError,
    NoHandoverError,
    NothingToAnswerError,
    UnknownNoticeError,
)
from edge_agent.ports import Clock, EventSink, Randomness
from edge_agent.uplink.consent_desk import Yes
from edge_agent.uplink.consent_loop import Answer, Consents
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.handover_desk import Code, HandoverDesk, Result
from edge_agent.uplink.notice import Notices
from edge_agent.uplink.packaging import Packager, Stamp
from edge_agent.uplink.ports import Link, Spool
from wire_protocol.consent import Method, Purpose
from wire_protocol.handover_messages import HandoverDown, NoticeUp
from wire_protocol.topics import Up

log = logging.getLogger(__name__)
T = TypeVar("T")

NOTICES_EVERY_NS: Final = 60 * 1_000_000_000
"""The cloud hears again what phones are to show with a code, this long after the last time."""
INBOX_MAX: Final = 64
"""Answers that wait for the one before; the cloud sends again what finds no room."""
HANDOVER_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code as the display shows it."""

    code: Code
    svg: str


@dataclass(frozen=True, slots=True)
class HandoverParts:
    """What handing over needs.

    Args:
        hold_s: The picture waits so long for the phone.
        draw: An address to the SVG of its QR code; takes milliseconds.
        is_connected: Whether the broker has accepted the register.
        now_ms: The register's time, never before the cloud's last signed time.
        executor: The uplink's thread.
    """

    consents: Consents
    desk: HandoverDesk
    notices: Notices
    packager: Packager
    spool: Spool
    link: Link
    events: EventSink
    clock: Clock
    randomness: Randomness
    hold_s: int
    draw: Callable[[str], str]
    is_connected: Callable[[], bool]
    now_ms: Callable[[], int]
    executor: Executor


class Handovers:
    """The codes of this register, on the event loop's thread."""

    def __init__(self, parts: HandoverParts) -> None:
        self._parts = parts
        self._shown: dict[UUID, ShownCode] = {}
        self._inbox: asyncio.Queue[HandoverDown] = asyncio.Queue(INBOX_MAX)
        self._told_ns: int | None = None
        self.results: Counter[Result] = Counter()
        """What became of phones' answers since the start."""

    @property
    def possible(self) -> bool:
        """Whether a code would be of use now."""
        return self._parts.is_connected() and self._parts.consents.blanks_left > 0

    def connected(self) -> None:
        """Whoever listens now may not have heard the notices."""
        self._told_ns = None

    async def show(self, interaction_id: UUID) -> ShownCode:
        """The code of an interaction: made once, the same afterwards; its picture waits for it from now on.

        Raises:
            NothingToAnswerError: No picture waits.
            NoHandoverError: No connection, or no blank: it would be asked in vain.
        """
        parts, now_ns = self._parts, self._parts.clock.monotonic_ns()
        if not parts.consents.waits(interaction_id):
            raise NothingToAnswerError(
                f"no picture of interaction {interaction_id} waits for an answer",
                remedy="Ask while it waits; the event `consent` with state `asked` says so.",
            )
        known = self._shown.get(interaction_id)
        if known is not None and now_ns < known.code.until_ns:
            return known
        if not self.possible:
            raise NoHandoverError(
                "no phone can answer now: the cloud is not connected, or no consent blank is left",
                remedy="Ask on the display; codes come back by themselves.",
            )
        code = parts.desk.open_for(interaction_id, now_ns) or self._make(interaction_id, now_ns)
        shown = ShownCode(code, await self._off_loop(parts.draw, code.address))
        self._forget_over(now_ns)
        self._shown[interaction_id] = shown
        await self._tell_notices(now_ns)
        return shown

    def seconds_left(self, code: Code) -> float:
        """How long a code can still be scanned; 0 where it is over."""
        return max(0.0, round((code.until_ns - self._parts.clock.monotonic_ns()) / 1e9, 1))

    def heard(self, given: HandoverDown) -> None:
        """The cloud brings an answer; its signature holds."""
        try:
            self._inbox.put_nowait(given)
        except asyncio.QueueFull:
            log.warning("handover.postponed", extra=fields(waiting=INBOX_MAX))

    async def run(self) -> None:
        """Take in answers, one after the other; until cancelled."""
        while True:
            given = await self._inbox.get()
            await self.take(given)
            self._inbox.task_done()

    async def settle(self) -> None:
        """Wait until everything that was heard is taken in; for tests."""
        await self._inbox.join()

    async def take(self, given: HandoverDown) -> Result:
        """Take one answer in."""
        code, refused = self._parts.desk.take(given, self._parts.clock.monotonic_ns())
        result = refused if code is None or refused is not None else await self._keep(code, given)
        assert result is not None, "a code that is open is kept or refused"
        self.results[result] += 1
        if code is not None:
            self._shown.pop(code.interaction_id, None)
            if result is not Result.KEPT:
                # Nobody can say yes to it with this code any more, and no picture waits for nothing.
                self._parts.consents.give_up(code.interaction_id)
        self._tell(given, result)
        return result

    async def _keep(self, code: Code, given: HandoverDown) -> Result:
        purposes = tuple(Purpose(purpose) for purpose in sorted(given.purposes))
        yes = Yes(purposes, given.notice, given.language.lower(), Method.PHONE)
        try:
            await self._parts.consents.answer(code.interaction_id, Answer(yes))
        except (ConflictError, NothingToAnswerError):
            return Result.OVER
        except UnknownNoticeError:
            return Result.NOTICE
        except NoBlanksError:
            return Result.NO_BLANK
        except SpoolError:
            return Result.DISK
        return Result.KEPT

    def _make(self, interaction_id: UUID, now_ns: int) -> Code:
        parts = self._parts
        code = parts.desk.make(
            interaction_id,
            hold_s=parts.hold_s,
            now_ms=parts.now_ms(),
            now_ns=now_ns,
            random=parts.randomness(HANDOVER_BYTES),
        )
        parts.consents.wait_until(interaction_id, code.until_ns)
        parts.events.publish(
            "consent",
            {
                "interaction_id": str(interaction_id),
                "state": "code",
                "expires_at": iso_time(code.expires_at_ms),
            },
        )
        return code

    def _forget_over(self, now_ns: int) -> None:
        for over in [key for key, shown in self._shown.items() if now_ns >= shown.code.until_ns]:
            del self._shown[over]

    async def _tell_notices(self, now_ns: int) -> None:
        """The cloud shows phones the very texts of this register; it hears them with the codes."""
        if self._told_ns is not None and now_ns - self._told_ns < NOTICES_EVERY_NS:
            return
        self._told_ns = now_ns
        try:
            await self._off_loop(self._tell_notices_off_loop)
        except SpoolError as error:
            self._told_ns = None
            log.warning("spool.refused", extra=fields(step="notices", error=str(error), remedy=error.remedy))

    def _tell_notices_off_loop(self) -> None:
        parts = self._parts
        for notice in parts.notices.all:
            stamp = Stamp(parts.randomness(16), parts.spool.next_sequence(), parts.now_ms())
            purposes = tuple(Purpose(purpose) for purpose in notice.purposes)
            payload = NoticeUp(notice.language, notice.text.encode(), purposes, notice.valid_days)
            topic = str(parts.packager.topic(Up.NOTICE))
            parts.link.publish(stamp.message_id, topic, parts.packager.notice(stamp, payload))

    def _tell(self, given: HandoverDown, result: Result) -> None:
        extra = fields(interaction_id=str(UUID(bytes=given.interaction)), reason=result.value)
        if result is Result.KEPT:
            log.info("handover.kept", extra=extra)
        elif result is Result.REPEATED:
            log.debug("handover.repeated", extra=extra)
        else:
            log.warning("handover.refused", extra=extra)

    async def _off_loop(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parts.executor, partial(work, *arguments))


def iso_time(at_ms: int) -> str:
    """A time as the local API writes it, such as `2026-11-23T09:15:00.000Z`."""
    at = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
