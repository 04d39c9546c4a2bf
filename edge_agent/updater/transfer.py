"""One file, piece by piece: what to ask for and when, what to make of the answers. Pure, sans-I/O.

Several requests are in the air; an answer that does not come is asked for again, later each time. Requests
grow with what the link carries, so that a cut costs little and a fast link little waiting. An answer is as
long as was asked, or it is none: nobody can keep a register busy with drops.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from edge_agent.updates.errand import IN_FLIGHT_MAX, Need, Piece, PieceStatus
from wire_protocol.errors import TopscoopError
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES
from wire_protocol.packing import BadPacking, unpack

FIRST_BYTES: Final = 16_384
_ROUND_S: Final = 0.1
"""A piece is as long as the link carries in this time, between `FIRST_BYTES` and a message's bound."""


class FileMissing(TopscoopError):
    """There is no such file."""


class FetchFailed(TopscoopError):
    """A file could not be fetched: not reached, too slow, too long, another length than signed."""


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """How patient a transfer is; times in milliseconds."""

    timeout_ms: int = 10_000
    timeout_max_ms: int = 60_000
    attempts: int = 8
    """Of one piece; being sent away or told to wait does not count."""
    away_ms: int = 120_000
    """Without any connection; then the errand ends, and the agent begins it again when there is one."""
    grace_ms: int = 120_000
    first_ms: int = 300_000
    """For the first piece of a file whose length nobody knows yet: one message, however busy others are."""
    slowest_bytes_per_s: int = 500
    """A whole file may take the grace and its length at this rate."""
    pause_ms: int = 500
    """After the first `away`; twice as long after each further one, up to `pause_max_ms`."""
    pause_max_ms: int = 15_000


class Budget:
    """So many bytes a second, with a burst: a token bucket that may be overdrawn by one piece.

    Args:
        bytes_per_s: In the long run.
        burst: At once.
    """

    def __init__(self, bytes_per_s: int, burst: int) -> None:
        self._per_ms = bytes_per_s / 1000
        self._burst = burst
        self._left = float(burst)
        self._at_ms: int | None = None

    def wait_ms(self, now_ms: int) -> int:
        """How long until something may be asked for; 0: now."""
        if self._at_ms is not None:
            self._left = min(self._burst, self._left + max(0, now_ms - self._at_ms) * self._per_ms)
        self._at_ms = now_ms
        return 0 if self._left > 0 else 1 + int(-self._left / self._per_ms)

    def spend(self, count: int) -> None:
        """So many bytes were asked for."""
        self._left -= count


@dataclass(slots=True)
class _Asked:
    offset: int
    length: int
    sent_ms: int = 0
    deadline_ms: int = 0
    attempt: int = 0
    not_before_ms: int = 0


@dataclass(slots=True)
class Transfer:
    """One file's fetching.

    Args:
        path: Of the repository.
        offset: Where to begin.
        total: Its length; None: the first answer says.
        longest: More bytes than these nobody takes.
        now_ms: Of a clock that never goes back.
        ids: Numbers for requests, never used twice on one pipe.
        budget: Of the whole errand.
        jitter: Numbers from 0 to 1, so that a thousand registers do not ask at once.
    """

    path: str
    offset: int
    total: int | None
    longest: int
    now_ms: int
    ids: Iterator[int]
    budget: Budget
    jitter: Callable[[], float]
    limits: TransferLimits = field(default_factory=TransferLimits)
    _air: dict[int, _Asked] = field(default_factory=dict)
    _again: list[_Asked] = field(default_factory=list)
    _early: dict[int, bytes] = field(default_factory=dict)
    _next: int = 0
    _given: int = 0
    _length: int = FIRST_BYTES
    _away_since_ms: int | None = None
    _pauses: int = 0
    _not_before_ms: int = 0

    def __post_init__(self) -> None:
        """Begin at the offset."""
        self._next = self._given = self.offset
        if self.total is not None and self.total > self.longest:
            raise FetchFailed(f"{self.path} has {self.total} bytes, more than {self.longest}")

    @property
    def finished(self) -> bool:
        """Whether all bytes were given."""
        return self.total is not None and self._given >= self.total

    def needs(self, now_ms: int) -> list[Need]:
        """What to ask for now.

        Raises:
            FetchFailed: It takes too long.
        """
        self._check_time(now_ms)
        for number in [one for one, asked in self._air.items() if asked.deadline_ms <= now_ms]:
            self._ask_again(self._air.pop(number), now_ms)
        wanted: list[Need] = []
        most = 1 if self.total is None or self._away_since_ms is not None else IN_FLIGHT_MAX
        while len(self._air) < most and now_ms >= self._not_before_ms and not self.budget.wait_ms(now_ms):
            asked = self._next_asked(now_ms)
            if asked is None:
                break
            number = next(self.ids)
            asked.sent_ms = now_ms
            patience = min(self.limits.timeout_max_ms, self.limits.timeout_ms << asked.attempt)
            asked.deadline_ms = now_ms + int(patience * (1 + 0.25 * self.jitter()))
            self._air[number] = asked
            self.budget.spend(asked.length)
            wanted.append(Need(number, self.path, asked.offset, asked.length))
        return wanted

    def take(self, piece: Piece, now_ms: int) -> bytes:
        """The bytes that are next in order, as far as they are there now; b"" where none are.

        Raises:
            FileMissing: There is no such file.
            FetchFailed: It is longer than anybody takes, or has another length than was said.
        """
        asked = self._air.pop(piece.id, None)
        if asked is None:
            return b""
        match piece.status:
            case PieceStatus.MISSING:
                raise FileMissing(f"there is no {self.path}")
            case PieceStatus.BEYOND:
                raise FetchFailed(f"{self.path} ends before byte {asked.offset}")
            case PieceStatus.AWAY:
                self._is_away(asked, now_ms)
            case PieceStatus.BUSY:
                asked.not_before_ms = now_ms + min(60_000, max(100, piece.retry_after_ms or 1000))
                self._again.append(asked)
            case PieceStatus.OK:
                self._away_since_ms, self._pauses = None, 0
                self._accept(piece, asked, now_ms)
        return self._in_order()

    def wake_ms(self, now_ms: int) -> int:
        """When `needs` has something new to say, at the latest."""
        times = [asked.deadline_ms for asked in self._air.values()]
        if len(self._air) < IN_FLIGHT_MAX:
            pause = max(now_ms + self.budget.wait_ms(now_ms), self._not_before_ms)
            times += [max(pause, asked.not_before_ms) for asked in self._again]
            if self.total is None or self._next < self.total:
                times.append(max(pause, now_ms + 1))
        return max(now_ms, min(times, default=now_ms + 1000))

    def _next_asked(self, now_ms: int) -> _Asked | None:
        due = [asked for asked in self._again if asked.not_before_ms <= now_ms]
        if due:
            first = min(due, key=lambda asked: asked.offset)
            self._again.remove(first)
            return first
        if self.total is None:
            # One request of a message's length: metadata is shorter than that, and comes in one answer.
            return None if self._air or self._again else _Asked(self._next, self._first_length())
        length = min(self._length, self.total - self._next)
        if length <= 0:
            return None
        asked = _Asked(self._next, length)
        self._next += length
        return asked

    def _first_length(self) -> int:
        return min(FILE_BLOCK_MAX_BYTES, max(1, self.longest - self._next))

    def _accept(self, piece: Piece, asked: _Asked, now_ms: int) -> None:
        if self.total is None:
            if piece.total > self.longest:
                raise FetchFailed(f"{self.path} has {piece.total} bytes, more than {self.longest}")
            self.total = piece.total
            self._next = min(asked.offset + asked.length, piece.total)
        if piece.total != self.total:
            raise FetchFailed(f"{self.path} has {piece.total} bytes where {self.total} are signed")
        data = _unpacked(piece)
        if piece.offset != asked.offset or len(data) != min(asked.length, self.total - asked.offset):
            self._ask_again(asked, now_ms)
            return
        took_s = max(1, now_ms - asked.sent_ms) / 1000
        share = len(piece.data) / took_s * (len(self._air) + 1) * _ROUND_S
        self._length = min(FILE_BLOCK_MAX_BYTES, max(FIRST_BYTES, int(share)))
        if asked.offset >= self._given:
            self._early[asked.offset] = data

    def _in_order(self) -> bytes:
        ready = b""
        while (data := self._early.pop(self._given, None)) is not None:
            ready += data
            self._given += len(data)
            if not data:
                break
        return ready

    def _ask_again(self, asked: _Asked, now_ms: int) -> None:
        asked.attempt += 1
        if asked.attempt >= self.limits.attempts:
            raise FetchFailed(f"no answer for {self.path} at byte {asked.offset}")
        asked.not_before_ms = now_ms
        self._again.append(asked)

    def _is_away(self, asked: _Asked, now_ms: int) -> None:
        if self._away_since_ms is None:
            self._away_since_ms = now_ms
        if now_ms - self._away_since_ms >= self.limits.away_ms:
            raise FetchFailed("there is no connection to the cloud")
        pause = min(self.limits.pause_max_ms, self.limits.pause_ms << min(self._pauses, 10))
        self._pauses += 1
        self._not_before_ms = now_ms + int(pause * (0.5 + 0.5 * self.jitter()))
        self._again.append(asked)

    def _check_time(self, now_ms: int) -> None:
        most = self.limits.first_ms
        if self.total is not None:
            bytes_left = self.total - self.offset
            most = self.limits.grace_ms + bytes_left * 1000 // self.limits.slowest_bytes_per_s
        if now_ms - self.now_ms > most:
            raise FetchFailed(f"{self.path} comes too slowly")


def _unpacked(piece: Piece) -> bytes:
    """The piece's bytes; none where they were packed wrongly: asked for again, as with a wrong length."""
    if piece.unpacked is None:
        return piece.data
    try:
        return unpack(piece.data, piece.unpacked)
    except BadPacking:
        return b""
