"""The power is cut at hundreds of points of SQLite's write log; the spool opens what is left."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import Spool, SpooledBlank
from edge_agent.uplink.spool_rules import SpoolBounds
from edge_agent.uplink.spooled import Ending, Write
from tests.builders.records import START_MS, StandingClock
from tests.builders.spool_messages import id16, outgoing
from tests.builders.write_log import Recorder, WriteLog
from wire_protocol.topics import Up

_BOUNDS = SpoolBounds(max_bytes=250_000)
_POINTS_AT_LEAST = 300
_FAR_MS = START_MS + 10**9


@dataclass(frozen=True)
class _Acknowledged:
    """After so many steps of the log, the spool looked so, and had given out so many numbers."""

    steps: int
    state: Any
    sequence: int


def _state(spool: Spool) -> Any:
    """All that a caller can see; the next sequence number and blank apart, as looking would use them up."""
    lanes = {lane: spool.candidates(lane, 0, 1000) for lane in Lane}
    messages = {entry.message_id: spool.load(entry.message_id) for found in lanes.values() for entry in found}
    return lanes, messages, spool.setting("cursor"), spool.blanks_left(0), spool.stats().lanes


def _work(spool: SqliteSpool) -> Iterator[int]:
    """A busy day in small; yields the last sequence number after each call that acknowledged something."""
    last = 0
    spool.add_blanks([SpooledBlank(id16(n, "blank"), bytes(300), _FAR_MS) for n in range(20)])
    yield last
    for number in range(24):
        last = spool.next_sequence()
        yield last
        spool.take_blank(START_MS)
        yield last
        spool.write(Write(messages=(outgoing(number, Up.CONSENT, size=900),)))
        yield last
        spool.write(
            Write(messages=(outgoing(number, size=21_000),), settings={"sampling": str(number)}),
        )
        yield last
        events = tuple(outgoing(number * 4 + one, Up.INTERACTION) for one in range(4))
        spool.write(Write(messages=events, settings={"cursor": str(number)}))
        yield last
        if number % 3 == 2:
            endings = tuple(
                Ending(outgoing(one, Up.INTERACTION).message_id, Fate.STORED) for one in range(number * 3)
            )
            spool.write(Write(endings=endings, count={"receipts": len(endings)}))
            yield last
        if number % 8 == 7:
            spool.write(
                Write(
                    messages=(outgoing(number, Up.WITHDRAWAL),),
                    erase=(id16(number, "consent"), id16(number - 2, "consent")),
                )
            )
            yield last
        if number % 6 == 5:
            spool.set_aside(outgoing(number - 1).message_id, "test")
            yield last
    spool.release()
    yield last
    spool.purge(Lane.FRAMES, only_set_aside=True)
    yield last


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the machine has that: nothing here depends on what this disk keeps."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as made:
        yield Path(made)


def _record(
    folder: Path, clock: StandingClock, synchronous: str = "FULL"
) -> tuple[WriteLog, list[_Acknowledged]]:
    path = folder / "spool.db"
    empty = SqliteSpool(path, clock, _BOUNDS, reserve_bytes=4096)
    empty.stats()
    empty.close()
    # sqlite-utils leaves cursors in a cycle, which keep the file open; the recorder's SQLite is another
    # library than ours, and two of them in one process do not see each other's locks.
    gc.collect()
    assert not path.with_name("spool.db-wal").exists(), "the tables are there; what follows is logged"
    recorder = Recorder(folder, checkpoint_pages=40, synchronous=synchronous)
    spool = SqliteSpool(path, clock, _BOUNDS, recorder, reserve_bytes=4096)  # type: ignore[arg-type]
    try:
        acknowledged = [_Acknowledged(0, _state(spool), 0)]
        acknowledged += (_Acknowledged(len(recorder.log.steps), _state(spool), last) for last in _work(spool))
    finally:
        spool.close()
        recorder.close()
    return recorder.log, acknowledged


def _survives(point: int, folder: Path, log: WriteLog, acknowledged: list[_Acknowledged]) -> bool:
    """Whether a spool that is opened after a cut is as before or as after the call that was under way."""
    place = folder / f"cut-{point}"
    place.mkdir()
    for name, content in log.files_at(point, Random(point)).items():
        if not name.endswith((".reserve", "-shm")):
            (place / name).write_bytes(content)
    spool = SqliteSpool(place / "spool.db", StandingClock(), _BOUNDS, reserve_bytes=4096)
    done = [one for one in acknowledged if one.steps <= point]
    after = acknowledged[min(len(done), len(acknowledged) - 1)]
    survived = (
        _state(spool) in (done[-1].state, after.state)
        and spool.stats().damaged_files == 0
        and all(lane.account.lost == 0 for lane in spool.stats().lanes.values())
        and spool.next_sequence() > done[-1].sequence
    )
    spool.close()
    shutil.rmtree(place)
    return survived


def test_no_power_cut_loses_what_was_acknowledged(folder: Path) -> None:
    """T13: after each of more than 300 cuts the spool is as before or as after the call under way.

    Every write of log and file may be missing or torn unless it was synced. Nothing put is lost, nothing
    ended comes back, counters add up, no damage is seen, no sequence number or blank is given twice.
    """
    log, acknowledged = _record(folder, StandingClock())
    points = range(0, len(log.steps) + 1, max(1, len(log.steps) // 400))
    assert len(points) >= _POINTS_AT_LEAST
    assert sum(step.file == "spool.db" and not step.is_sync for step in log.steps) > 20, "no checkpoints"
    assert [point for point in points if not _survives(point, folder, log, acknowledged)] == []


def test_a_weaker_setting_would_lose_acknowledged_messages(folder: Path) -> None:
    """What the test above would see if a commit did not wait for the disk."""
    log, acknowledged = _record(folder, StandingClock(), synchronous="NORMAL")
    points = range(0, len(log.steps) + 1, len(log.steps) // 30)
    assert not all(_survives(point, folder, log, acknowledged) for point in points)
