"""The press: one worker, one picture for equal orders, bounded memory."""

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable

import pytest

from cloud.console.charts.press import ChartNotDrawn, Press
from cloud.console.charts.values import Chart, Order, Series, Shape, Tone, size_of, table_of


def order(value: float = 1.0) -> Order:
    """A chart of one column."""
    chart = Chart(
        name="test",
        title="Test",
        shape=Shape.COLUMNS,
        x_title="x",
        y_title="y",
        series=(Series("s", Tone.CALM, (("a", value),)),),
        table=table_of((), ()),
        alternative="",
    )
    return Order(chart, size_of(chart, "wide"))


def with_press(work: Callable[[Press], Awaitable[None]], **more: float) -> None:
    """Run `work` on a press that is closed at the end."""

    async def run() -> None:
        press = Press(**more)  # type: ignore[arg-type]
        try:
            await work(press)
        finally:
            await press.close()

    asyncio.run(run())


def test_equal_orders_are_drawn_once_and_the_loop_goes_on() -> None:
    """Eight readers of a page cost one drawing; meanwhile other work runs."""

    async def work(press: Press) -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        first = await asyncio.gather(*(press.draw(order()) for _ in range(8)))
        beside.cancel()
        assert turns > 100
        assert all(picture is first[0] for picture in first)
        pid = press.pid
        assert await press.draw(order()) is first[0]
        assert await press.draw(order(2)) != first[0]
        assert press.pid == pid

    with_press(work)


def test_a_worker_that_is_killed_is_started_again() -> None:
    """The chart that it had in hand is not drawn, and says so; the next one is."""

    async def work(press: Press) -> None:
        await press.draw(order())
        assert press.pid is not None
        os.kill(press.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(press.draw(order(2)))
        await asyncio.sleep(0)
        os.kill(press.pid, signal.SIGKILL)
        with pytest.raises(ChartNotDrawn):
            await waiting
        assert (await press.draw(order(3))).startswith("<svg")

    with_press(work)


def test_the_worker_ends_when_nobody_looks() -> None:
    """And its memory with it; a later order starts another."""

    async def work(press: Press) -> None:
        await press.draw(order())
        pid = press.pid
        assert pid is not None
        ended = os.pidfd_open(pid)
        assert (await asyncio.to_thread(select.select, [ended], [], [], 30))[0]
        os.close(ended)
        assert press.pid is None

    with_press(work, idle_s=0.01)


def test_memory_is_bounded_on_both_sides() -> None:
    """The oldest pictures leave and are drawn again; a worker that drew many makes room for another."""

    async def work(press: Press) -> None:
        first = await press.draw(order())
        await press.draw(order(2))
        assert press.pid is not None
        again = await press.draw(order())
        assert again == first
        assert again is not first
        assert press.pid is None

    with_press(work, cache_bytes=1, pictures_max=3)
