"""Draws charts in a process of its own, one after another, and keeps the newest pictures."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from typing import Final

from cloud.console.charts.values import Order
from wire_protocol.errors import TopscoopError

_DRAW_TIMEOUT_S: Final = 15.0
"""The first picture waits for the worker's start too, about a second on an idle core."""
_IDLE_S: Final = 120.0
"""After so long without an order the worker ends, and its memory with it."""
_PICTURES_MAX: Final = 1000
"""Then another worker takes over: this one has grown by some 30 KB a picture."""
_CACHE_BYTES: Final = 8 * 1024 * 1024
_QUEUE_MAX: Final = 64
"""Orders that wait at most; one more is refused, and its page shows the table."""
_PICTURE_MAX_BYTES: Final = 4 * 1024 * 1024


class ChartNotDrawn(TopscoopError):
    """No picture; the table beside it says the same."""


class Press:
    """Orders in, SVG out. All of it runs on one event loop."""

    def __init__(
        self,
        *,
        cache_bytes: int = _CACHE_BYTES,
        idle_s: float = _IDLE_S,
        pictures_max: int = _PICTURES_MAX,
    ) -> None:
        self._cache: OrderedDict[str, str] = OrderedDict()
        self._cache_bytes, self._cached = cache_bytes, 0
        self._idle_s = idle_s
        self._pictures_max, self._pictures = pictures_max, 0
        self._turn = asyncio.Lock()
        self._open: dict[str, asyncio.Task[str]] = {}
        self._worker: Process | None = None
        self._leaving: set[asyncio.Task[int]] = set()
        self._rest: asyncio.TimerHandle | None = None

    async def draw(self, order: Order) -> str:
        """The picture in stand-in colours; equal orders that come together are drawn once.

        Raises:
            ChartNotDrawn: Refused by the worker, too many wait, or it took too long.
        """
        digest = order.digest()
        if digest in self._cache:
            self._cache.move_to_end(digest)
            return self._cache[digest]
        task = self._open.get(digest)
        if task is None:
            if len(self._open) >= _QUEUE_MAX:
                raise ChartNotDrawn("too many charts wait to be drawn")
            task = asyncio.create_task(self._one(digest, order), name=f"chart {digest}")
            self._open[digest] = task
            task.add_done_callback(lambda _: self._open.pop(digest, None))
        # A reader who goes away does not take the picture from the others.
        return await asyncio.shield(task)

    @property
    def pid(self) -> int | None:
        """The worker's process; None while there is none."""
        return None if self._worker is None else self._worker.pid

    async def close(self) -> None:
        """End the worker."""
        for task in list(self._open.values()):
            task.cancel()
        await asyncio.gather(*self._open.values(), return_exceptions=True)
        await self._end()
        await asyncio.gather(*self._leaving)

    async def _one(self, digest: str, order: Order) -> str:
        async with self._turn:
            self._stop_rest()
            try:
                async with asyncio.timeout(_DRAW_TIMEOUT_S):
                    svg = await self._ask(order.to_bytes())
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                await self._end()
                raise ChartNotDrawn(f"the drawing process failed: {type(error).__name__}") from error
            except ChartNotDrawn:
                self._start_rest()
                raise
            except BaseException:
                # Cancelled between question and answer: the next answer would be this one's.
                await self._end()
                raise
            self._pictures += 1
            if self._pictures >= self._pictures_max:
                await self._end()
            else:
                self._start_rest()
        self._keep(digest, svg)
        return svg

    async def _ask(self, order: bytes) -> str:
        worker = await self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(len(order).to_bytes(4, "big") + order)
        await worker.stdin.drain()
        head = await worker.stdout.readexactly(5)
        length = int.from_bytes(head[1:], "big")
        if length > _PICTURE_MAX_BYTES:
            raise OSError(f"a picture of {length} bytes")
        answer = (await worker.stdout.readexactly(length)).decode()
        if not head[0]:
            raise ChartNotDrawn(answer)
        return answer

    async def _started(self) -> Process:
        if self._worker is None or self._worker.returncode is not None:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cloud.console.charts.worker", stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        return self._worker

    async def _end(self) -> None:
        self._stop_rest()
        self._pictures = 0
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()

    def _start_rest(self) -> None:
        def rest() -> None:
            if self._worker is not None and not self._turn.locked() and self._worker.stdin is not None:
                self._worker.stdin.close()  # it ends with its input
                gone = asyncio.create_task(self._worker.wait(), name="drawing process ends")
                self._leaving.add(gone)
                gone.add_done_callback(self._leaving.discard)
                self._worker = None

        self._rest = asyncio.get_running_loop().call_later(self._idle_s, rest)

    def _stop_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _keep(self, digest: str, svg: str) -> None:
        self._cache[digest] = svg
        self._cached += len(svg)
        while self._cached > self._cache_bytes and self._cache:
            self._cached -= len(self._cache.popitem(last=False)[1])
