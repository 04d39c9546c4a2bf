import asyncio
import os
import signal

import pytest

from simulator.demo.errors import DemoError
from simulator.demo.stopping import signals_set, unless, wait


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_asks_to_stop_and_interrupts_nothing(number: signal.Signals) -> None:
    stopping = asyncio.Event()
    with signals_set(stopping) as signalled:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await stopping.wait()
            await asyncio.sleep(0)
    assert set(signalled) == {number}


async def test_work_that_ends_in_time_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await unless(asyncio.Event(), work()) == 7


async def test_the_works_own_failure_is_passed_on() -> None:
    async def work() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await unless(asyncio.Event(), work())


async def test_work_is_cancelled_and_awaited_when_told_to_stop() -> None:
    stopping, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        stopping.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    with pytest.raises(DemoError, match="before it was ready"):
        await unless(stopping, work())
    assert cleaned.is_set()


async def test_waiting_ends_with_the_time_or_with_the_event() -> None:
    stopping = asyncio.Event()
    await wait(stopping, 0.01)
    assert not stopping.is_set()
    stopping.set()
    async with asyncio.timeout(10):
        await wait(stopping, None)
