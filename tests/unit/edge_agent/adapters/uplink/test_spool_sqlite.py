"""The spool's file in trouble: refusing disk, damage, erased bytes."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.adapters.uplink.disk_reserve import RESERVE_BYTES
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.accounting import Account, DropReason, Fate
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import SpooledBlank
from edge_agent.uplink.spooled import Ending, Write
from tests.builders.faulty_disk import BROKEN, FULL, faulty_connection
from tests.builders.records import START_MS, StandingClock
from tests.builders.spool_messages import id16, outgoing
from wire_protocol.topics import Up

_PAGE_BYTES = 16 << 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def open_spool(path: Path) -> Iterator[Callable[..., SqliteSpool]]:
    opened: list[SqliteSpool] = []

    def open_(
        connection_class: type[sqlite3.Connection] = sqlite3.Connection, *, later_ms: int = 0
    ) -> SqliteSpool:
        clock = StandingClock(START_MS + later_ms)
        opened.append(SqliteSpool(path, clock, connection_class=connection_class))
        return opened[-1]

    yield open_
    for spool in opened:
        spool.close()


def _account(spool: SqliteSpool, lane: Lane = Lane.FRAMES) -> Account:
    account = spool.stats().lanes[lane].account
    assert account.lost == 0
    return account


def _filled(spool: SqliteSpool, frames: int = 40) -> None:
    pairs = ((outgoing(n, size=20_000), outgoing(n, Up.OUTCOME)) for n in range(frames))
    spool.write(Write(messages=tuple(one for pair in pairs for one in pair)))
    spool.write(
        Write(
            endings=(Ending(outgoing(0).message_id, Fate.STORED),),
            settings={"cursor": "40"},
            erase=(id16(1, "consent"),),
        )
    )


@pytest.mark.parametrize("fault", [FULL, BROKEN], ids=["full", "fsync"])
def test_a_refusing_disk_stores_nothing_and_recovers(
    open_spool: Callable[..., SqliteSpool], fault: tuple[int, str]
) -> None:
    """T12, T14: an error of write or fsync is no promise; the same call succeeds when the disk is back."""
    disk = faulty_connection()
    spool = open_spool(disk)
    spool.write(Write(messages=(outgoing(1),)))
    disk.fault = fault
    for _ in range(3):
        with pytest.raises(SpoolError) as caught:
            spool.write(Write(messages=(outgoing(2),), settings={"cursor": "2"}))
        assert caught.value.remedy
    disk.fault = None
    assert spool.setting("cursor") is None
    assert spool.load(outgoing(2).message_id) is None
    assert spool.write(Write(messages=(outgoing(2),))) == (True,)
    assert _account(spool).captured == 2
    assert spool.stats().damaged_files == 0


def test_what_was_counted_while_the_disk_refused_is_written_later(
    open_spool: Callable[..., SqliteSpool],
) -> None:
    """T12: the frame that could not be stored is accounted for, once."""
    disk = faulty_connection()
    spool = open_spool(disk)
    disk.fault = FULL
    with pytest.raises(SpoolError):
        spool.write(Write(messages=(outgoing(1),)))
    spool.count("frames.captured")
    spool.count("frames.dropped.disk")
    for _ in range(2):
        with pytest.raises(SpoolError):
            spool.flush()
    disk.fault = None
    spool.flush()
    spool.flush()
    account = _account(spool)
    assert (account.captured, account.dropped) == (1, {DropReason.DISK: 1})


def test_a_full_disk_makes_room_for_the_small_lanes(
    open_spool: Callable[..., SqliteSpool], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T12: the reserve first, which is taken again as soon as there is room."""
    disk = faulty_connection()
    spool = open_spool(disk)
    spool.write(Write(messages=(outgoing(1),)))
    reserve = path.with_name("spool.db.reserve")
    assert reserve.stat().st_size == RESERVE_BYTES
    disk.fault = FULL
    with pytest.raises(SpoolError):
        spool.write(Write(messages=(outgoing(1, Up.WITHDRAWAL),)))
    assert not reserve.exists()
    assert "spool.reserve_used" in caplog.messages
    disk.fault = None
    spool.write(Write(messages=(outgoing(1, Up.WITHDRAWAL),)))
    spool.flush()
    assert reserve.exists()


def test_a_frame_never_takes_the_reserve(open_spool: Callable[..., SqliteSpool], path: Path) -> None:
    disk = faulty_connection()
    spool = open_spool(disk)
    spool.write(Write(messages=(outgoing(1),)))
    disk.fault = FULL
    with pytest.raises(SpoolError):
        spool.write(Write(messages=(outgoing(2),)))
    assert path.with_name("spool.db.reserve").exists()


def test_frames_give_way_when_the_reserve_is_gone(open_spool: Callable[..., SqliteSpool], path: Path) -> None:
    """T12: some, spread evenly, counted; the withdrawal is in."""

    class OnceFull(sqlite3.Connection):
        left = 0

        def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
            if OnceFull.left and "INSERT INTO body" in sql:
                OnceFull.left -= 1
                error = sqlite3.OperationalError(FULL[1])
                error.sqlite_errorcode = FULL[0]
                raise error
            return super().execute(sql, parameters)  # type: ignore[arg-type]

    spool = open_spool(OnceFull)
    _filled(spool)
    OnceFull.left = 2
    spool.write(Write(messages=(outgoing(1, Up.WITHDRAWAL),)))
    assert not path.with_name("spool.db.reserve").exists()
    assert _account(spool).dropped == {DropReason.DISK: 3}
    assert _account(spool, Lane.WITHDRAWALS).spooled == 1
    assert _account(spool, Lane.EVENTS).spooled == 40


def test_a_file_that_is_no_database_is_set_aside(
    open_spool: Callable[..., SqliteSpool], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T14: an alarm, a new file, and the old bytes are kept for a look."""
    path.write_bytes(b"no database at all" * 1000)
    spool = open_spool()
    assert spool.write(Write(messages=(outgoing(1),))) == (True,)
    assert spool.stats().damaged_files == 1
    (damaged,) = path.parent.glob("spool.db.damaged-*")
    assert damaged.read_bytes().startswith(b"no database")
    (alarm,) = (record for record in caplog.records if record.message == "spool.set_aside")
    assert alarm.levelno == logging.ERROR


def _overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * _PAGE_BYTES)
        file.write(b"\xa5" * _PAGE_BYTES)


def test_what_a_damaged_file_still_holds_moves_on(open_spool: Callable[..., SqliteSpool], path: Path) -> None:
    """T14: whichever page was overwritten; what is missing is counted, and no counter loses its place."""
    spool = open_spool()
    _filled(spool)
    given = spool.next_sequence()
    spool.close()
    whole = path.read_bytes()
    pages = len(whole) // _PAGE_BYTES
    saved = []
    for page in [*range(24), *range(24, pages, 7)]:
        for left in path.parent.glob("spool.db*"):
            left.unlink()
        path.write_bytes(whole)
        _overwrite(path, page)
        spool = open_spool(later_ms=1000)
        for _ in range(2):  # the first pass may find the damage
            found = spool.candidates(Lane.FRAMES, 0, 1000)
            frames = sum(spool.load(entry.message_id) is not None for entry in found)
        assert _account(spool).spooled == frames
        assert _account(spool, Lane.EVENTS).lost == 0
        assert spool.next_sequence() > given
        stats = spool.stats()
        if stats.damaged_files == 0 and frames == 38:
            assert spool.setting("cursor") == "40"
        saved.append(frames)
        spool.close()
    assert max(saved) == 38
    assert sorted(saved)[len(saved) // 2] >= 36, "one bad page costs only its own"


def test_damage_while_it_runs_costs_only_what_was_damaged(
    open_spool: Callable[..., SqliteSpool], path: Path
) -> None:
    """T14: the counters of this process go on, the call succeeds, and it does not loop."""
    spool = open_spool()
    _filled(spool)
    spool._run(lambda book: book.file.truncate_log())
    with closing(sqlite3.connect(path)) as other:
        (page,) = other.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'counter'").fetchone()
    spool._close()
    _overwrite(path, page - 1)
    assert spool.write(Write(messages=(outgoing(99),))) == (True,)
    account = _account(spool)
    assert (account.captured, account.stored, account.gone) == (41, 1, 1)
    assert spool.stats().damaged_files == 1


def test_a_disk_that_damages_everything_is_given_up(
    open_spool: Callable[..., SqliteSpool], path: Path
) -> None:
    """T14: after three files it counts as one that refuses: no loop, no folder full of wrecks."""
    broken = faulty_connection()
    broken.fault, broken.at = (sqlite3.SQLITE_CORRUPT, "database disk image is malformed"), "BEGIN"
    spool = open_spool(broken)
    for _ in range(3):
        with pytest.raises(SpoolError):
            spool.write(Write(messages=(outgoing(1),)))
    assert len(list(path.parent.glob("spool.db.damaged-*"))) <= 3
    broken.fault = None
    assert spool.write(Write(messages=(outgoing(1),))) == (True,)


def test_a_message_whose_bytes_changed_is_dropped(open_spool: Callable[..., SqliteSpool], path: Path) -> None:
    """T14: the disk may lie without an error; it is never sent, and counted."""
    spool = open_spool()
    _filled(spool, 3)
    spool.close()
    message = outgoing(2, size=20_000).message
    content = path.read_bytes()
    at = content.index(message[5000:5100])
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\x00")
    spool = open_spool()
    assert spool.load(outgoing(2).message_id) is None
    assert _account(spool).dropped == {DropReason.DAMAGED: 1}
    assert spool.candidates(Lane.FRAMES, 0, 10) == ()


def test_a_disk_that_fails_at_the_start_is_tried_again(
    open_spool: Callable[..., SqliteSpool], path: Path
) -> None:
    """T12: the agent starts; the first call after the disk is back succeeds."""
    path.mkdir()
    spool = open_spool()
    with pytest.raises(SpoolError):
        spool.next_sequence()
    spool.flush()
    path.rmdir()
    assert spool.next_sequence() >= START_MS


def _bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_erased_bytes_are_nowhere_in_the_folder(open_spool: Callable[..., SqliteSpool], path: Path) -> None:
    """T25: neither in the table, nor in free pages, nor in the log, while the spool is open."""
    spool = open_spool()
    _filled(spool)
    message = outgoing(7, size=20_000).message
    pieces = [message[at : at + 64] for at in range(0, len(message), 1000)]
    assert any(piece in _bytes_on_disk(path.parent) for piece in pieces)
    spool.write(Write(erase=(id16(7, "consent"),)))
    on_disk = _bytes_on_disk(path.parent)
    assert [piece for piece in pieces if piece in on_disk] == []
    kept = outgoing(8, size=20_000).message
    assert kept[:64] in on_disk


def test_an_erasure_that_a_reader_holds_up_is_finished_later(
    open_spool: Callable[..., SqliteSpool], path: Path
) -> None:
    """T25: somebody looks into the file with another program; the log is emptied by the next flush."""
    spool = open_spool()
    _filled(spool)
    piece = outgoing(7, size=20_000).message[:64]
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        spool.write(Write(erase=(id16(7, "consent"),)))
        assert spool.load(outgoing(7).message_id) is None
    spool.flush()
    assert piece not in _bytes_on_disk(path.parent)


def test_many_threads_get_each_blank_once(open_spool: Callable[..., SqliteSpool]) -> None:
    """T3: sixteen at once, and none twice."""
    spool = open_spool()
    spool.add_blanks([SpooledBlank(id16(number, "blank"), b"signed", START_MS) for number in range(100)])
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda _: spool.take_blank(0), range(120)))
    found = [blank.blank for blank in taken if blank is not None]
    assert len(found) == len(set(found)) == 100


def test_used_blanks_are_forgotten_long_after_they_ended(open_spool: Callable[..., SqliteSpool]) -> None:
    """The file does not grow for ever; until then a blank that comes again stays used."""
    spool = open_spool()
    blank = SpooledBlank(id16(1, "blank"), b"signed", START_MS)
    spool.add_blanks([blank])
    spool.take_blank(START_MS)
    spool.expire(START_MS)
    assert spool.add_blanks([blank]) == 0
    spool.expire(START_MS + 1)
    assert spool.add_blanks([blank]) == 1


def test_who_flushes_after_each_frame_never_lets_the_log_grow_into_a_checkpoint(
    open_spool: Callable[..., SqliteSpool], path: Path
) -> None:
    """A commit that must move the log first takes ten times as long as one that need not."""
    spool = open_spool()
    log_file = path.with_name("spool.db-wal")
    for number in range(120):
        spool.write(Write(messages=(outgoing(number, size=60_000),)))
        spool.flush()
    assert log_file.stat().st_size < 300 * _PAGE_BYTES
    # Without it, the log grows until a commit moves it.
    for number in range(120, 240):
        spool.write(Write(messages=(outgoing(number, size=60_000),)))
    assert log_file.stat().st_size > 500 * _PAGE_BYTES
