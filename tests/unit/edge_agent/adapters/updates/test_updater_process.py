"""An updater as a process: what it says comes through, however it ends."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from edge_agent.adapters.updates.updater_process import NICER, UpdaterProcess
from edge_agent.updates.errand import Done, Failed, Job, Need, Piece, PieceStatus, Progress
from wire_protocol.fleet_messages import UpdateReason, UpdateState

_PREFIX = """
import os, sys, time
from edge_agent.updates.errand import *
from wire_protocol.fleet_messages import MetadataSeen, UpdateState
reader = Reader(AGENT_SAYS)
def say(value):
    sys.stdout.buffer.write(frame(value)); sys.stdout.buffer.flush()
def hear():
    while True:
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        for value in reader.feed(data):
            return value
job = hear()
seen = Verified(MetadataSeen(1, 1, 1, 1, 5), b"")
"""


def job() -> Job:
    return Job(bytes(16), "gelateria-sole", "1", "/r", "/m", "/s", "/l")


def updater(body: str) -> UpdaterProcess:
    return UpdaterProcess((sys.executable, "-c", _PREFIX + body))


async def run(updater: UpdaterProcess, **heard: list[object]) -> Done | Failed:
    needs, progress = heard.get("needs", []), heard.get("progress", [])
    async with asyncio.timeout(30):
        return await updater.run(job(), needs.append, progress.append)


async def test_needs_pieces_progress_and_the_end_come_through() -> None:
    """A piece of 100 KB goes down the pipe, and what the updater made of it comes back."""
    one = updater(
        """
say(Progress(UpdateState.FETCHING, 1, 2))
say(Need(7, "metadata/timestamp.json", 0, 100))
piece = hear()
say(Failed(UpdateReason.NO_ROOM, f"{len(piece.data)} {piece.id} {os.getpriority(os.PRIO_PROCESS, 0)}", True))
"""
    )
    progress: list[Progress] = []

    def need(asked: Need) -> None:
        assert asked == Need(7, "metadata/timestamp.json", 0, 100)
        one.give(Piece(7, PieceStatus.OK, 0, 100_000, data=b"x" * 100_000))

    async with asyncio.timeout(30):
        ended = await one.run(job(), need, progress.append)
    assert progress == [Progress(UpdateState.FETCHING, 1, 2)]
    nice = min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICER)
    assert ended == Failed(UpdateReason.NO_ROOM, f"100000 7 {nice}", passing=True)
    one.give(Piece(8, PieceStatus.AWAY))  # nobody is there any more: nothing happens


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit(3)", "the updater ended with status 3"),
        ("raise SystemExit('no memory left')", "the updater ended with status 1: no memory left"),
        ("os.kill(os.getpid(), 9)", "the updater ended with status -9"),
        ("os.write(1, b'rubbish' * 99); hear()", "the pipe carries a value of kind 114"),
    ],
    ids=["exit", "words", "killed", "rubbish"],
)
async def test_the_death_of_an_updater_is_a_reason_and_nothing_more(body: str, words: str) -> None:
    """It may pass, and it is told in words; the agent lives."""
    ended = await run(updater(body))
    assert isinstance(ended, Failed)
    assert (ended.reason, ended.passing) == (UpdateReason.CRASHED, True)
    assert ended.words.startswith(words)


async def test_an_updater_that_is_silent_for_long_is_ended() -> None:
    """T8: some server feeds it drop by drop; that is no connection, and may pass."""
    one = UpdaterProcess((sys.executable, "-c", _PREFIX + "while True: time.sleep(60)"), silent_s=0.2)
    ended = await run(one)
    assert isinstance(ended, Failed)
    assert (ended.reason, ended.passing) == (UpdateReason.UNREACHABLE, True)


async def test_what_cannot_be_started_is_a_reason() -> None:
    """A broken installation, say."""
    ended = await run(UpdaterProcess(("/nowhere/python",)))
    assert isinstance(ended, Failed)
    assert "cannot be started" in ended.words


async def test_an_updater_that_nobody_wants_is_killed_and_waited_for(tmp_path: Path) -> None:
    """Even one that does not listen."""
    mark = tmp_path / "pid"
    one = updater(f"open({str(mark)!r}, 'w').write(str(os.getpid()))\nwhile True: time.sleep(60)")
    running = asyncio.create_task(run(one))
    async with asyncio.timeout(30):
        while not (mark.exists() and mark.read_text()):  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
