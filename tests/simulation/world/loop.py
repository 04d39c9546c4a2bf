"""An asyncio event loop without a world: its time is a number, and what runs next is drawn by the seed.

Time stands still while anything is ready, then jumps to the next timer. Whatever is ready runs in random
order, so that every interleaving of awaits can happen. A task belongs to the process (`PROCESS`) in whose
context it was made; once that process is killed, its callbacks never run again: no `finally`, no `except`, as
after kill -9.
"""

import asyncio
import heapq
import random
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Life:
    """One incarnation of a process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True


class Killed(BaseException):
    """Raised into code of a dead process that is still on the stack; nothing of it may have any effect."""


PROCESS: ContextVar[Life | None] = ContextVar("PROCESS", default=None)


class _Handle:
    """What asyncio asks of a Handle and a TimerHandle."""

    __slots__ = ("_when", "callback", "context", "life")

    def __init__(
        self, callback: Callable[..., Any], arguments: tuple[Any, ...], context: Context | None, when: float
    ) -> None:
        self.context = copy_context() if context is None else context
        self.callback: Callable[..., Any] | None = callback if not arguments else _bound(callback, arguments)
        self._when = when
        self.life: Life | None = self.context.get(PROCESS)

    def cancel(self) -> None:
        self.callback = None

    def cancelled(self) -> bool:
        return self.callback is None

    def when(self) -> float:
        return self._when


def _bound(callback: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: callback(*arguments)


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs coroutines in virtual time.

    Args:
        chance: Draws the order of what is ready.
        after_step: Called after every callback; an invariant that is checked here is checked at every step.
    """

    def __init__(self, chance: random.Random, after_step: Callable[[], None] | None = None) -> None:
        self._chance = chance
        self._after_step = after_step
        self._now = 0.0
        self._ready: list[_Handle] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self._made = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._closed = False
        self.world = copy_context()
        """Of nobody: what is scheduled in it dies with no process."""
        self.steps = 0
        self.unhandled: list[dict[str, Any]] = []

    def time(self) -> float:
        return self._now

    def run_until(self, done: Callable[[], bool], *, until_s: float, steps_max: int = 1_000_000) -> bool:
        """Run until `done()` is true; False where time would pass `until_s` first, or nothing is left."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while not done():
                if not self._ready and not self._advance(until_s):
                    return False
                self._run_one()
                if self.steps > steps_max:
                    raise RuntimeError(f"{steps_max} steps and no end: something turns in circles")
            return True
        finally:
            events._set_running_loop(before)

    def _advance(self, until_s: float) -> bool:
        timers = self._timers
        while timers and (timers[0][2].cancelled() or not _lives(timers[0][2])):
            heapq.heappop(timers)
        if not timers or timers[0][0] > until_s:
            self._now = max(self._now, until_s) if timers else self._now
            return False
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])
        return True

    def _run_one(self) -> None:
        ready = self._ready
        index = int(self._chance.random() * len(ready))
        ready[index], ready[-1] = ready[-1], ready[index]
        handle = ready.pop()
        callback, life = handle.callback, handle.life
        if callback is None or (life is not None and not life.alive):
            return  # cancelled, or of a process that is dead
        self.steps += 1
        try:  # noqa: SIM105 - the innermost loop of all: a context manager costs a fifth of it
            handle.context.run(callback)
        except Killed:
            pass  # the process died in this callback; what it was doing is lost
        if self._after_step is not None:
            self._after_step()

    def failed_tasks(self) -> list[str]:
        """Tasks that ended with an error in a process that lives: what a daemon would die of."""
        return [
            f"{task.get_name()}: {task.exception()!r}"
            for task in self._tasks
            if task.done() and not task.cancelled() and not isinstance(task.exception(), Killed | None)
        ]

    # ---- what asyncio calls --------------------------------------------------------------------------------

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, context, self._now)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_soon(callback, *args, context=context)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, context, when)
        self._made += 1
        heapq.heappush(self._timers, (when, self._made, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """There are no threads: the call happens a little later, at once and whole."""
        future: asyncio.Future[T] = self.create_future()

        def call() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:  # noqa: BLE001 - carried to who awaits it, as an executor does
                future.set_exception(error)

        self.call_later(self._chance.random() * 0.002, call)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.unhandled.append(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.unhandled.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Put an end to all coroutines, without letting them do anything any more."""
        self._closed = True
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            if not task.done():
                _end(task.get_coro())
            elif not task.cancelled():
                task.exception()
        self._tasks.clear()
        self._ready.clear()
        self._timers.clear()


def _lives(handle: _Handle) -> bool:
    return handle.life is None or handle.life.alive


def _end(coroutine: Any) -> None:
    for _ in range(20):  # a coroutine may await while it is being closed, and wants to be closed again
        try:
            coroutine.close()
        except (RuntimeError, ValueError, Killed):
            continue
        return


def in_life(loop: VirtualLoop, life: Life, coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a coroutine as part of a process: it and all that it starts die with that process."""
    context = copy_context()
    context.run(PROCESS.set, life)
    return loop.create_task(coroutine, name=name, context=context)
