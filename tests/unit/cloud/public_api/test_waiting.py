"""Waiting for an upload's end: every order of looking, telling and leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cloud.intake.values import UploadState
from cloud.public_api.answers import ENDS, Answers
from cloud.public_api.waiting import following, unless_gone, until_ended

UPLOAD = ("gelateria-sole", b"a" * 16)
_BOUND_S = 30


@dataclass(frozen=True)
class Found:
    state: UploadState

    @property
    def ended(self) -> bool:
        return self.state in ENDS


class Table:
    """One upload; before each look has ended, what a test has planned for that moment happens."""

    def __init__(self) -> None:
        self.state = UploadState.ISSUED
        self.looks = 0
        self.after: dict[int, Callable[[], None]] = {}

    async def look(self) -> Found:
        self.looks += 1
        found = Found(self.state)
        self.after.get(self.looks, lambda: None)()
        return found


def _becomes(table: Table, answers: Answers, state: UploadState) -> None:
    table.state = state
    answers.tell(UPLOAD, state)


def test_a_wake_up_between_look_and_wait_is_not_lost() -> None:
    """The end is written and told after the look has read and before the wait begins: it ends the wait."""

    async def scenario() -> None:
        answers, table = Answers(), Table()
        table.after[1] = lambda: _becomes(table, answers, UploadState.DONE)
        found, waited = await until_ended(answers, UPLOAD, table.look, _BOUND_S)
        assert (found.state, waited, table.looks) == (UploadState.DONE, True, 2)

    asyncio.run(scenario())


def test_what_is_there_is_not_waited_for() -> None:
    """One look where the end came before."""

    async def scenario() -> None:
        table = Table()
        table.state = UploadState.FAILED
        found, waited = await until_ended(Answers(), UPLOAD, table.look, _BOUND_S)
        assert (found.state, waited, table.looks) == (UploadState.FAILED, False, 1)

    asyncio.run(scenario())


def test_the_wait_ends_with_its_time() -> None:
    """Nobody brings news: the client hears how far it is."""

    async def scenario() -> None:
        table = Table()
        found, waited = await until_ended(Answers(), UPLOAD, table.look, 0.01)
        assert (found.state, waited, table.looks) == (UploadState.ISSUED, False, 1)

    asyncio.run(scenario())


def test_a_look_that_fails_ends_the_wait_and_frees_the_place() -> None:
    """The database goes away meanwhile: the client hears so."""

    async def scenario() -> None:
        answers = Answers()

        async def look() -> Found:
            raise OSError("away")

        with pytest.raises(OSError, match="away"):
            await until_ended(answers, UPLOAD, look, _BOUND_S)
        assert dict(answers.waited_for()) == {}

    asyncio.run(scenario())


def test_a_client_that_leaves_frees_its_place() -> None:
    """Its disconnection cancels the wait; nothing stays behind."""

    async def scenario() -> None:
        answers, table, gone = Answers(), Table(), asyncio.Event()
        table.after[1] = gone.set

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        work = until_ended(answers, UPLOAD, table.look, _BOUND_S)
        async with asyncio.timeout(_BOUND_S):
            assert await unless_gone(work, receive) is None
        assert dict(answers.waited_for()) == {}

    asyncio.run(scenario())


def test_who_stays_gets_the_result_and_errors_of_the_work() -> None:
    """The rest of a body that nobody asked for is no disconnection."""

    async def scenario() -> None:
        messages = iter([{"type": "http.request"}])

        async def receive() -> dict[str, Any]:
            found = next(messages, None)
            return found if found is not None else await asyncio.Future()

        async def work() -> str:
            await asyncio.sleep(0.01)
            return "done"

        async def broken() -> str:
            raise OSError("away")

        assert await unless_gone(work(), receive) == "done"
        with pytest.raises(OSError, match="away"):
            await unless_gone(broken(), receive)

    asyncio.run(scenario())


def test_a_stream_follows_to_the_end() -> None:
    """Each state is looked at once, as it is told, and the stream ends by itself."""

    async def scenario() -> list[UploadState | None]:
        answers, table = Answers(), Table()
        table.after[1] = lambda: _becomes(table, answers, UploadState.ARRIVED)
        table.after[2] = lambda: _becomes(table, answers, UploadState.DONE)
        said = following(answers, UPLOAD, table.look, _BOUND_S, _BOUND_S)
        return [None if one is None else one.state async for one in said]

    assert asyncio.run(scenario()) == [UploadState.ISSUED, UploadState.ARRIVED, UploadState.DONE]


def test_a_quiet_stream_beats_and_ends() -> None:
    """While nothing happens it says that it is there, and after its time it ends."""

    async def scenario() -> list[Found | None]:
        said = following(Answers(), UPLOAD, Table().look, heartbeat_s=0.01, most_s=0.05)
        return [one async for one in said]

    first, *rest = asyncio.run(scenario())
    assert first == Found(UploadState.ISSUED)
    assert rest
    assert set(rest) == {None}


@pytest.mark.parametrize("wait", ["poll", "stream"])
def test_a_process_that_ends_keeps_nobody_waiting(wait: str) -> None:
    """Long polls and streams end with what there is."""

    async def scenario() -> Found | None:
        answers, table = Answers(), Table()
        table.after[1] = answers.stop
        if wait == "poll":
            return (await until_ended(answers, UPLOAD, table.look, _BOUND_S))[0]
        return [one async for one in following(answers, UPLOAD, table.look)][-1]

    async def bounded(work: Awaitable[Found | None]) -> Found | None:
        async with asyncio.timeout(_BOUND_S):
            return await work

    assert asyncio.run(bounded(scenario())) == Found(UploadState.ISSUED)
