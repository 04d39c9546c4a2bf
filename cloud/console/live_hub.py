"""Streams of live pages: bounded in number, age and work; many who look at one page cost one look."""

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Final

from cloud.console.errors import TooManyStreams
from cloud.console.live import Known, Parts, difference, known, state
from cloud.errors import DatabaseAway
from wire_protocol.errors import OperatorError

TICK_S: Final = 2.0
STREAM_MAX_S: Final = 300.0
"""Then the browser comes back: a stream never outlives a deployment or a forgotten window by much."""
STREAMS_MAX: Final = 256
STREAMS_OF_ONE_MAX: Final = 8
"""Of one session: browsers open six connections to a host over HTTP/1.1 anyway."""
_CACHE_MAX: Final = 256
_HEARTBEAT_TICKS: Final = 7
_RETRY_MS: Final = 3000


class LiveHub:
    """One a process.

    Args:
        monotonic: Seconds of a clock that never steps.
        tick_s: How often a page is looked at.
    """

    def __init__(self, monotonic: Callable[[], float], tick_s: float = TICK_S) -> None:
        self._monotonic = monotonic
        self._tick_s = tick_s
        self._lock = threading.Lock()
        self._looks: OrderedDict[object, tuple[float, Parts]] = OrderedDict()
        self._open: dict[bytes, int] = {}
        self._stopping = asyncio.Event()

    @property
    def streams(self) -> int:
        """How many there are."""
        return sum(self._open.values())

    def stop(self) -> None:
        """Let every stream end."""
        self._stopping.set()

    def check(self, session: bytes) -> None:
        """Let another stream of this session through.

        Raises:
            TooManyStreams: There are too many, of this session or in all.
        """
        if self._open.get(session, 0) >= STREAMS_OF_ONE_MAX or self.streams >= STREAMS_MAX:
            raise TooManyStreams(
                "too many pages are live; this one stays as it is", remedy="Close some, or load it again."
            )

    def enter(self, session: bytes) -> None:
        """Count a stream in."""
        self._open[session] = self._open.get(session, 0) + 1

    def leave(self, session: bytes) -> None:
        """Count it out again."""
        self._open[session] -= 1
        if not self._open[session]:
            del self._open[session]

    def look(self, key: object, read: Callable[[], Parts]) -> Parts:
        """A page's parts, no older than a tick; called in a thread.

        Args:
            key: Chain, role and page: all that the parts depend on.
            read: Reads and renders them.
        """
        with self._lock:
            found = self._looks.get(key)
        now = self._monotonic()
        if found is not None and now - found[0] < self._tick_s * 0.9:
            return found[1]
        parts = read()
        with self._lock:
            self._looks[key] = (now, parts)
            self._looks.move_to_end(key)
            while len(self._looks) > _CACHE_MAX:
                self._looks.popitem(last=False)
        return parts

    async def follow(
        self, since: str, read: Callable[[], Parts], still_allowed: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """The bytes of one stream.

        Args:
            since: Name of the state that the browser has.
            read: Reads the parts; called in a thread.
            still_allowed: Whether the session holds; called in a thread, now and then.
        """
        yield f"retry: {_RETRY_MS}\n\n".encode()
        end = self._monotonic() + STREAM_MAX_S
        has: Known | None = None
        quiet = 0
        while self._monotonic() < end and not self._stopping.is_set():
            try:
                parts = await asyncio.to_thread(read)
                if quiet % _HEARTBEAT_TICKS == _HEARTBEAT_TICKS - 1 and not await asyncio.to_thread(
                    still_allowed
                ):
                    return
            except (DatabaseAway, OperatorError):
                return  # the browser comes back, and is told then
            now_has = known(parts)
            if has is None and since == state(now_has):
                has = now_has
            changes = difference(has or {}, parts)
            has = now_has
            quiet += 1
            if changes:
                body = json.dumps(changes, ensure_ascii=True, separators=(",", ":"))
                yield f"id: {state(has)}\nevent: diff\ndata: {body}\n\n".encode()
            elif quiet % _HEARTBEAT_TICKS == 0:
                yield b": still here\n\n"
            try:
                await asyncio.wait_for(self._stopping.wait(), self._tick_s)
            except TimeoutError:
                continue
