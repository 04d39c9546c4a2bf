"""Asking for consent while the customer is there: pictures wait in memory, answers come in, time runs out.

All state here belongs to the event loop's thread. What may wait for a disk or costs milliseconds (filling a
blank, JPEG, sealing) runs on the uplink's own thread, so that no recommendation waits for it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from daemon.log_fields import fields
from edge_agent.config import ConsentConfig
from edge_agent.errors import ConflictError, NoBlanksError, NothingToAnswerError, UnknownNoticeError
from edge_agent.impression import Impression
from edge_agent.impression import Reason as FallbackReason
from edge_agent.ports import Clock, EventSink, Frame
from edge_agent.uplink.accounting import DropReason, Fate, never_spooled
from edge_agent.uplink.consent_desk import ConsentDesk, Granted, Yes
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.frame_hold import FrameHold, HeldFrame, overwrite
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.notice import Notice, Notices
from edge_agent.uplink.packaging import JpegFrame
from edge_agent.uplink.ports import Spool
from edge_agent.uplink.spooled import Write
from wire_protocol.consent import FRAME_PURPOSE
from wire_protocol.errors import RefusedMessage, TopscoopError

log = logging.getLogger(__name__)
T = TypeVar("T")

EXPIRE_EVERY_S: Final = 0.5
MAX_REMEMBERED: Final = 64
"""Answers that can be repeated; a till repeats within seconds."""
_NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_SLATE: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the customer said; `yes` None is a no."""

    yes: Yes | None


class Encoded(Protocol):
    """A JPEG in memory of its own."""

    @property
    def jpeg(self) -> NDArray[np.uint8]:
        """The bytes; overwritten after sealing."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def height(self) -> int:
        """Pixels."""


class Sampler(Protocol):
    """Decides which consented pictures are worth the bandwidth; remembers its quotas over restarts."""

    def choose(self, frame: HeldFrame, interaction_id: UUID, now_ms: int) -> bool:
        """Whether to send this one; a yes counts against the quotas."""

    def settings(self) -> dict[str, str]:
        """What the spool shall remember."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What answering needs.

    Args:
        encode: Pixels to JPEG; may raise TopscoopError.
        spooled: Told the lane of what was spooled; called on the loop's thread.
        erased: Told of consents that were withdrawn here.
        blank_used: Told of each consent that was granted.
        now_ms: The register's time, never before the cloud's last signed time.
        executor: One thread that yields to requests.
        phones: Whether the customer's phone could answer, too.
    """

    config: ConsentConfig
    notices: Notices
    desk: ConsentDesk
    spool: Spool
    sampler: Sampler
    encode: Callable[[NDArray[np.uint8]], Encoded]
    clock: Clock
    events: EventSink
    spooled: Callable[[Lane], None]
    erased: Callable[[tuple[bytes, ...]], None]
    blank_used: Callable[[], None]
    now_ms: Callable[[], int]
    executor: Executor
    phones: Callable[[], bool] = lambda: False


class Consents:
    """The consents of this register."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._hold = FrameHold()
        self._answers: OrderedDict[UUID, tuple[Answer, asyncio.Future[Granted | None]]] = OrderedDict()
        self._filing: set[asyncio.Task[None]] = set()
        self._ended: list[dict[str, int]] = []
        self.blanks_left = 0
        """As last counted; asking a customer without a blank would be asking in vain."""

    @property
    def held(self) -> int:
        """Pictures that wait for an answer now."""
        return len(self._hold)

    def count_blanks(self, left: int) -> None:
        """So many blanks are left."""
        self.blanks_left = left

    def notice(self, language: str | None) -> Notice:
        """What a customer is shown."""
        return self._parts.notices.choose(language)

    def keep(self, impression: Impression, frame: Frame) -> None:
        """Hold the picture that a recommendation was made from; copied after the till has its answer."""
        asyncio.get_running_loop().call_soon(self._hold_copy, impression, frame)

    async def answer(self, interaction_id: UUID, answer: Answer) -> tuple[Granted | None, bool]:
        """Take the customer's answer; what was granted, and whether it was answered before.

        Raises:
            NothingToAnswerError: No picture waits, or its time is over.
            UnknownNoticeError: Another notice was shown, or purposes that it does not name.
            ConflictError: The opposite was answered before.
            NoBlanksError, SpoolError: Nothing was granted; the picture was not kept.
        """
        if (before := self._answers.get(interaction_id)) is not None:
            if before[0] != answer:
                raise ConflictError(
                    f"interaction {interaction_id} was answered otherwise before",
                    remedy="To take a yes back, withdraw it with its code.",
                )
            return await asyncio.shield(before[1]), True
        if answer.yes is not None:
            self._check_notice(answer.yes)
        self._expire()
        held = self._hold.take(interaction_id)
        if held is None:
            raise NothingToAnswerError(
                f"no picture of interaction {interaction_id} waits for an answer",
                remedy=f"Answer within {self._parts.config.answer_within_s} s of the recommendation; "
                "without a picture there is nothing to agree to.",
            )
        done: asyncio.Future[Granted | None] = asyncio.get_running_loop().create_future()
        self._remember(interaction_id, answer, done)
        try:
            granted = await self._settle(interaction_id, held, answer)
        except BaseException as error:
            # Whatever went wrong: nothing was granted, so the picture goes and the answer may come again.
            self._answers.pop(interaction_id, None)
            _fail(done, error)
            raise
        done.set_result(granted)
        return granted, False

    def answered(self, interaction_id: UUID) -> Granted | None:
        """What was granted for an interaction, for the till that prints the slip."""
        before = self._answers.get(interaction_id)
        if before is None or not before[1].done() or before[1].cancelled():
            return None
        return before[1].result()

    def waits(self, interaction_id: UUID) -> bool:
        """Whether a picture waits for an answer now."""
        self._expire()
        return interaction_id in self._hold

    def wait_until(self, interaction_id: UUID, until_ns: int) -> None:
        """A code was made for a picture: it waits at least so long, by the monotonic clock."""
        self._hold.wait_until(interaction_id, until_ns)

    def give_up(self, interaction_id: UUID) -> None:
        """An answer came that cannot be kept: the picture, if it still waits, is overwritten."""
        if self._hold.drop(interaction_id):
            self._end_without_consent((interaction_id,), "failed")

    async def withdraw(self, consent_id: UUID, code: str) -> None:
        """Take a consent back; raises as `ConsentDesk.withdraw`."""
        parts = self._parts
        await self._off_loop(parts.desk.withdraw, consent_id, code, parts.now_ms())
        log.info("consent.withdrawn", extra=fields(consent_id=str(consent_id)))
        parts.erased((consent_id.bytes,))
        parts.spooled(Lane.WITHDRAWALS)

    async def run(self) -> None:
        """Let time run out, and keep the account; until cancelled. Overwrites what is held at the end."""
        try:
            while True:
                self._expire()
                await self._write_ended()
                await asyncio.sleep(EXPIRE_EVERY_S)
        finally:
            self._end_without_consent(self._hold.clear(), "stopping")
            # The spool writes them when it is closed; nothing can be waited for here.
            ended, self._ended = self._ended, []
            for counted in ended:
                for name, by in counted.items():
                    self._parts.spool.count(name, by)

    async def settle(self) -> None:
        """Wait until what was granted is filed; for the end of the agent and for tests."""
        while self._filing:
            await asyncio.wait(self._filing)

    def _hold_copy(self, impression: Impression, frame: Frame) -> None:
        parts, now_ns = self._parts, self._parts.clock.monotonic_ns()
        if self.blanks_left <= 0:
            self._end(never_spooled(Lane.FRAMES, Fate.DROPPED, DropReason.UNSEALED))
            return
        age_ms = max(0, (now_ns - frame.captured_ns) // _NS_PER_MS)
        held = HeldFrame(
            pixels=frame.pixels.copy(),
            captured_at_ms=max(0, parts.now_ms() - age_ms),
            until_ns=now_ns + parts.config.answer_within_s * _NS_PER_S,
            first=impression.slate[0].flavour if impression.slate else None,
            margin=_margin(impression.scores),
        )
        self._end_without_consent(self._hold.put(impression.interaction_id, held), "superseded")
        parts.events.publish(
            "consent",
            {
                "interaction_id": str(impression.interaction_id),
                "state": "asked",
                "answer_within_s": parts.config.answer_within_s,
                # Nobody is asked where nobody stands; the till may still answer.
                "ask_on_display": parts.config.ask_on_display
                and impression.reason is not FallbackReason.NOBODY,
                "handover": parts.phones(),
            },
        )

    async def _settle(self, interaction_id: UUID, held: HeldFrame, answer: Answer) -> Granted | None:
        parts = self._parts
        if answer.yes is None:
            overwrite(held.pixels)
            self._end_without_consent((interaction_id,), "refused")
            return None
        try:
            granted = await self._off_loop(parts.desk.grant, interaction_id, answer.yes, parts.now_ms())
        except BaseException as error:
            overwrite(held.pixels)
            why = DropReason.DISK if isinstance(error, SpoolError) else DropReason.UNSEALED
            self._end(never_spooled(Lane.FRAMES, Fate.DROPPED, why))
            if isinstance(error, NoBlanksError):
                self.blanks_left = 0
                log.warning("consent.no_blanks", extra=fields(remedy=error.remedy))
            self._tell(interaction_id, "failed")
            raise
        self.blanks_left = max(0, self.blanks_left - 1)
        parts.blank_used()
        log.info(
            "consent.granted",
            extra=fields(interaction_id=str(interaction_id), consent_id=str(granted.consent_id)),
        )
        parts.spooled(Lane.CONSENTS)
        method = answer.yes.method.value
        self._tell(interaction_id, "granted", consent_id=str(granted.consent_id), method=method)
        filing = asyncio.get_running_loop().create_task(self._file(interaction_id, held, granted))
        self._filing.add(filing)
        filing.add_done_callback(self._filing.discard)
        return granted

    async def _file(self, interaction_id: UUID, held: HeldFrame, granted: Granted) -> None:
        """The picture's way into the spool; the customer has the answer already."""
        try:
            fate = await self._off_loop(self._file_off_loop, interaction_id, held, granted)
        except TopscoopError as error:
            log.warning(
                "frame.not_kept",
                extra=fields(
                    interaction_id=str(interaction_id),
                    error=str(error),
                    reason=str(error.reason) if isinstance(error, RefusedMessage) else None,
                ),
            )
            why = DropReason.DISK if isinstance(error, SpoolError) else DropReason.UNSEALED
            fate = never_spooled(Lane.FRAMES, Fate.DROPPED, why)
        finally:
            overwrite(held.pixels)
        if fate:
            self._end(fate)
        else:
            self._parts.spooled(Lane.FRAMES)
            await self._flush()

    async def _flush(self) -> None:
        """The customer is served: until the next one comes, nobody waits for the disk."""
        try:
            await self._off_loop(self._parts.spool.flush)
        except SpoolError as error:
            log.debug("spool.refused", extra=fields(error=str(error)))

    def _file_off_loop(self, interaction_id: UUID, held: HeldFrame, granted: Granted) -> dict[str, int]:
        """Sample, encode, seal, spool; what to count where it did not come to the spool."""
        parts = self._parts
        if FRAME_PURPOSE not in granted.agreed.consent.purposes:
            return never_spooled(Lane.FRAMES, Fate.WITHOUT_CONSENT)
        if not parts.sampler.choose(held, interaction_id, parts.now_ms()):
            return never_spooled(Lane.FRAMES, Fate.DROPPED, DropReason.SAMPLED)
        picture = parts.encode(held.pixels)
        try:
            frame = JpegFrame(picture.jpeg.data, picture.width, picture.height, held.captured_at_ms)
            parts.desk.file_frame(granted, frame, parts.now_ms(), parts.sampler.settings)
        finally:
            overwrite(picture.jpeg)
        return {}

    def _check_notice(self, yes: Yes) -> None:
        shown = self._parts.notices.shown(yes.language, yes.notice_sha256)
        if shown is None:
            raise UnknownNoticeError(
                f"this register shows no notice in {yes.language!r} with that SHA-256",
                remedy="Show what GET /v1/notice gives now, and send its language and sha256.",
            )
        if not yes.purposes or not {*yes.purposes} <= {*shown.purposes}:
            raise UnknownNoticeError(
                f"the notice names other purposes: {', '.join(shown.purposes)}",
                remedy="Send the purposes that the customer agreed to, out of those of the notice.",
            )

    def _remember(self, interaction_id: UUID, answer: Answer, done: "asyncio.Future[Granted | None]") -> None:
        self._answers[interaction_id] = answer, done
        while len(self._answers) > MAX_REMEMBERED:
            self._answers.popitem(last=False)

    def _expire(self) -> None:
        self._end_without_consent(self._hold.expire(self._parts.clock.monotonic_ns()), "expired")

    def _end_without_consent(self, interaction_ids: Iterable[UUID], state: str) -> None:
        for interaction_id in interaction_ids:
            self._end(never_spooled(Lane.FRAMES, Fate.WITHOUT_CONSENT))
            self._tell(interaction_id, state)

    def _tell(self, interaction_id: UUID, state: str, **more: object) -> None:
        self._parts.events.publish("consent", {"interaction_id": str(interaction_id), "state": state, **more})

    def _end(self, counted: dict[str, int]) -> None:
        self._ended.append(counted)

    async def _write_ended(self) -> None:
        if not self._ended:
            return
        ended, self._ended = self._ended, []
        total: dict[str, int] = {}
        for counted in ended:
            for name, by in counted.items():
                total[name] = total.get(name, 0) + by
        try:
            await self._off_loop(self._parts.spool.write, Write(count=total))
        except SpoolError as error:
            self._ended.insert(0, total)
            log.debug("spool.refused", extra=fields(error=str(error)))

    async def _off_loop(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parts.executor, partial(work, *arguments))


def _margin(scores: tuple[float, ...] | None) -> float | None:
    """How much the third flavour is ahead of the fourth."""
    if scores is None or len(scores) <= _SLATE:
        return None
    best = sorted(scores, reverse=True)
    return best[_SLATE - 1] - best[_SLATE]


def _fail(done: "asyncio.Future[Granted | None]", error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        done.cancel()
        return
    done.set_exception(error)
    done.exception()  # nobody may be waiting for it: that is no defect
