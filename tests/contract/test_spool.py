"""What every spool promises, held against the one on disk and the one in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.accounting import Account, DropReason, Fate, never_spooled
from edge_agent.uplink.errors import SpoolFullError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.ports import Spool, SpooledBlank
from edge_agent.uplink.spool_rules import SpoolBounds
from edge_agent.uplink.spooled import Ending, Outgoing, Write
from tests.builders.records import START_MS, StandingClock
from tests.builders.spool_messages import FRAME_BYTES, id16, of_lane, outgoing
from wire_protocol.topics import Up

_DAY_MS = 86_400_000
_SMALL = SpoolBounds(max_bytes=8 * FRAME_BYTES, reserve_bytes=1000)


@dataclass
class Given:
    """A spool, its clock, and a way to cut its power."""

    spool: Spool
    clock: StandingClock
    crash: Callable[[], Spool]


def _in_memory(_: Path, clock: StandingClock, bounds: SpoolBounds) -> tuple[Spool, Callable[[], Spool]]:
    spool = MemorySpool(clock.now_ms, bounds)

    def crash() -> Spool:
        spool.crash()
        return spool

    return spool, crash


def _on_disk(folder: Path, clock: StandingClock, bounds: SpoolBounds) -> tuple[Spool, Callable[[], Spool]]:
    spools = [SqliteSpool(folder / "spool.db", clock, bounds)]

    def crash() -> Spool:
        # Closed without `close`: what was counted and not written is forgotten, as in a power cut.
        spools[-1]._close()
        spools.append(SqliteSpool(folder / "spool.db", clock, bounds))
        return spools[-1]

    return spools[0], crash


@pytest.fixture(params=[_on_disk, _in_memory], ids=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Given]]:
    made: list[Given] = []

    def make_(bounds: SpoolBounds | None = None) -> Given:
        clock = StandingClock()
        spool, crash = request.param(tmp_path, clock, bounds)
        made.append(Given(spool, clock, crash))
        return made[-1]

    yield make_
    for given in made:
        given.crash().close()


@pytest.fixture
def given(make: Callable[..., Given]) -> Given:
    return make()


@pytest.fixture
def spool(given: Given) -> Spool:
    return given.spool


def _put(spool: Spool, *messages: Outgoing) -> tuple[bool, ...]:
    return spool.write(Write(messages=messages))


def _account(spool: Spool, lane: Lane = Lane.FRAMES) -> Account:
    account = spool.stats().lanes[lane].account
    assert account.lost == 0
    return account


def _ids(spool: Spool, lane: Lane, after: int = 0, limit: int = 1000) -> list[bytes]:
    return [entry.message_id for entry in spool.candidates(lane, after, limit)]


def test_a_new_spool_is_empty(spool: Spool) -> None:
    stats = spool.stats()
    assert all(_account(spool, lane).captured == stats.lanes[lane].size_bytes == 0 for lane in Lane)
    assert (stats.blanks, stats.damaged_files) == (0, 0)
    assert spool.setting("cursor") is None
    assert spool.take_blank(0) is None
    assert spool.load(id16(1)) is None
    assert _ids(spool, Lane.FRAMES) == []


def test_a_message_comes_back_byte_for_byte(spool: Spool) -> None:
    """With everything the delivery must know of it."""
    sent = outgoing(1, size=40_000)
    assert _put(spool, sent) == (True,)
    assert spool.load(sent.message_id) == sent.message
    (entry,) = spool.candidates(Lane.FRAMES, 0, 10)
    assert (entry.message_id, entry.kind, entry.size) == (sent.message_id, Up.FRAME, 40_000)
    assert (entry.sha256, entry.consent, entry.lane) == (sent.sha256, sent.consent, Lane.FRAMES)


@pytest.mark.parametrize("lane", list(Lane))
def test_each_lane_is_a_queue_of_its_own(spool: Spool, lane: Lane) -> None:
    """Oldest first; a position leads on from where one stopped."""
    for number in range(6):
        _put(spool, *(of_lane(number, each) for each in Lane))
    expected = [of_lane(number, lane).message_id for number in range(6)]
    first = spool.candidates(lane, 0, 4)
    rest = spool.candidates(lane, first[-1].position, 4)
    assert [entry.message_id for entry in first + rest] == expected


def test_a_message_of_a_spooled_id_is_ignored(spool: Spool) -> None:
    """The harvest may read the journal twice; the first message stays as it is, and counts once."""
    first, again = outgoing(1, Up.INTERACTION), outgoing(1, Up.INTERACTION, size=300)
    assert _put(spool, first) == _put(spool, again) == (True,)
    assert spool.load(first.message_id) == first.message
    assert _account(spool, Lane.EVENTS).captured == 1


@pytest.mark.parametrize("fate", [Fate.STORED, Fate.REFUSED, Fate.GONE])
def test_an_ending_deletes_and_counts_once(spool: Spool, fate: Fate) -> None:
    _put(spool, outgoing(1), outgoing(2))
    for _ in range(2):
        spool.write(Write(endings=(Ending(outgoing(1).message_id, fate),)))
    assert spool.load(outgoing(1).message_id) is None
    assert _ids(spool, Lane.FRAMES) == [outgoing(2).message_id]
    account = _account(spool)
    assert (account.captured, getattr(account, fate.value), account.spooled) == (2, 1, 1)


def test_what_one_write_does_is_done_together(given: Given) -> None:
    """Message, cursor, counter and ending are there after a power cut that follows at once."""
    _put(given.spool, outgoing(1))
    given.spool.write(
        Write(
            messages=(outgoing(2, Up.OUTCOME),),
            endings=(Ending(outgoing(1).message_id, Fate.STORED),),
            count={"receipts": 3},
            settings={"cursor": "2", "sampling": "{}"},
        )
    )
    spool = given.crash()
    assert _ids(spool, Lane.EVENTS) == [outgoing(2, Up.OUTCOME).message_id]
    assert (spool.setting("cursor"), spool.setting("sampling")) == ("2", "{}")
    assert _account(spool).stored == 1


def test_a_power_cut_forgets_nothing_that_was_put(given: Given) -> None:
    """T13: and a cut in the middle of counting forgets the fate together with what it was the fate of."""
    _put(given.spool, outgoing(1))
    for name, by in never_spooled(Lane.FRAMES, Fate.WITHOUT_CONSENT).items():
        given.spool.count(name, by)
    spool = given.crash()
    assert spool.load(outgoing(1).message_id) == outgoing(1).message
    account = _account(spool)
    assert (account.captured, account.without_consent, account.spooled) == (1, 0, 1)


def test_what_was_counted_is_durable_after_a_flush(given: Given) -> None:
    for name, by in never_spooled(Lane.FRAMES, Fate.DROPPED, DropReason.SAMPLED).items():
        given.spool.count(name, by)
    given.spool.flush()
    account = _account(given.crash())
    assert (account.captured, account.dropped) == (1, {DropReason.SAMPLED: 1})


def test_a_sequence_number_is_never_given_twice(given: Given) -> None:
    """T15: neither over power cuts nor when the clock goes back by years."""
    numbers = [given.spool.next_sequence() for _ in range(300)]
    given.clock.advance(-10 * 366 * _DAY_MS)
    spool = given.crash()
    numbers += [spool.next_sequence() for _ in range(300)]
    assert numbers == sorted(set(numbers))


def test_an_erasure_deletes_a_consents_frames_and_refuses_later_ones(given: Given) -> None:
    """T25: a frame that was being sealed while its consent was withdrawn ends as gone, restart or not."""
    consent = id16(7, "consent")
    _put(given.spool, outgoing(1, consent=consent), outgoing(2, consent=consent), outgoing(3))
    withdrawal = outgoing(9, Up.WITHDRAWAL)
    given.spool.write(Write(messages=(withdrawal,), erase=(consent,)))
    spool = given.crash()
    assert _put(spool, outgoing(4, consent=consent)) == (False,)
    assert _ids(spool, Lane.FRAMES) == [outgoing(3).message_id]
    assert _ids(spool, Lane.WITHDRAWALS) == [withdrawal.message_id]
    account = _account(spool)
    assert (account.captured, account.gone, account.spooled) == (4, 3, 1)


def test_a_full_spool_thins_its_frames_out_evenly(make: Callable[..., Given]) -> None:
    """T16: of a long outage every so-manieth frame is left, from its beginning to its end."""
    spool = make(_SMALL).spool
    for number in range(64):
        _put(spool, outgoing(number))
    left = [number for number in range(64) if spool.load(outgoing(number).message_id) is not None]
    assert len(left) == 8
    gaps = [after - before for before, after in pairwise(left)]
    assert set(gaps) == {8}
    account = _account(spool)
    assert (account.spooled, account.dropped) == (8, {DropReason.FULL: 56})


def test_thinning_goes_on_evenly_after_a_power_cut(make: Callable[..., Given]) -> None:
    given = make(_SMALL)
    spool = given.spool
    for number in range(64):
        _put(spool, outgoing(number))
        if number % 20 == 19:
            spool = given.crash()
    left = [number for number in range(64) if spool.load(outgoing(number).message_id) is not None]
    gaps = {after - before for before, after in pairwise(left)}
    assert max(gaps) <= 2 * min(gaps)


def test_small_lanes_push_frames_out_and_are_never_dropped(make: Callable[..., Given]) -> None:
    """T12: withdrawals and consents always find room."""
    spool = make(_SMALL).spool
    _put(spool, *(outgoing(number) for number in range(8)))
    kinds = (Up.WITHDRAWAL, Up.CONSENT)
    sent = [outgoing(number, kind, size=500) for number in range(10) for kind in kinds]
    assert all(kept for one in sent for kept in _put(spool, one))
    assert all(spool.load(one.message_id) == one.message for one in sent)
    assert _account(spool).dropped == {DropReason.FULL: 8}


def test_events_beyond_the_reserve_are_turned_away_whole(make: Callable[..., Given]) -> None:
    """T12: they stay in the journal, as the cursor of the same write does not move; later they fit again."""
    spool = make(_SMALL).spool
    _put(spool, *(outgoing(number, Up.OUTCOME, size=1000) for number in range(9)))
    write = Write(messages=(outgoing(9, Up.INTERACTION, size=500),), settings={"cursor": "9"})
    with pytest.raises(SpoolFullError) as caught:
        spool.write(write)
    assert caught.value.remedy
    assert spool.setting("cursor") is None
    assert _account(spool, Lane.EVENTS).spooled == 9
    spool.write(Write(endings=(Ending(outgoing(0, Up.OUTCOME).message_id, Fate.STORED),)))
    assert spool.write(write) == (True,)
    assert spool.setting("cursor") == "9"


def test_frames_too_old_are_dropped_and_nothing_else(spool: Spool) -> None:
    """T15: the age window judges frames only; a time before 2026 is a clock without battery, not an age."""
    old, dead_clock = START_MS - 40 * _DAY_MS, 1_000_000
    _put(
        spool,
        outgoing(1, at_ms=old),
        outgoing(2),
        outgoing(3, at_ms=dead_clock),
        outgoing(4, Up.OUTCOME, at_ms=old),
        outgoing(5, Up.WITHDRAWAL, at_ms=old),
    )
    assert spool.expire(START_MS - 30 * _DAY_MS) == 1
    assert _ids(spool, Lane.FRAMES) == [outgoing(2).message_id, outgoing(3).message_id]
    assert _account(spool).dropped == {DropReason.TOO_OLD: 1}
    assert _account(spool, Lane.EVENTS).spooled == _account(spool, Lane.WITHDRAWALS).spooled == 1


def test_what_is_set_aside_is_offered_again_when_released(given: Given) -> None:
    """Over a power cut, too; with its reason in the figures."""
    small, large = outgoing(1, size=1000), outgoing(2, size=5000)
    _put(given.spool, small, large, outgoing(3))
    for message in (small, large):
        given.spool.set_aside(message.message_id, "too-large")
    spool = given.crash()
    assert _ids(spool, Lane.FRAMES) == [outgoing(3).message_id]
    assert spool.stats().lanes[Lane.FRAMES].set_aside == {"too-large": 2}
    assert (spool.release(1000), spool.release(1000)) == (1, 0)
    assert _ids(spool, Lane.FRAMES) == [small.message_id, outgoing(3).message_id]
    assert spool.release() == 1
    assert len(_ids(spool, Lane.FRAMES)) == 3


def test_a_purge_drops_a_lane_or_what_is_set_aside_in_it(spool: Spool) -> None:
    _put(spool, *(outgoing(number) for number in range(200)), outgoing(1, Up.OUTCOME))
    spool.set_aside(outgoing(7).message_id, "too-large")
    assert spool.purge(Lane.FRAMES, only_set_aside=True) == 1
    assert spool.purge(Lane.FRAMES) == 199
    assert _account(spool).dropped == {DropReason.PURGED: 200}
    assert _account(spool, Lane.EVENTS).spooled == 1


def _blank(number: int, usable_until_ms: int = START_MS) -> SpooledBlank:
    return SpooledBlank(id16(number, "blank"), f"signed {number}".encode(), usable_until_ms)


def test_a_blank_is_given_once_the_soonest_to_end_first(given: Given) -> None:
    """T3: over a power cut, and when the cloud sends the same blanks again."""
    late, soon, ended = _blank(1, START_MS + 2), _blank(2, START_MS + 1), _blank(3, START_MS - 1)
    assert given.spool.add_blanks([late, soon, ended]) == 3
    assert given.spool.blanks_left(START_MS) == 2
    assert given.spool.take_blank(START_MS) == soon
    spool = given.crash()
    assert spool.add_blanks([late, soon, ended]) == 0
    assert spool.take_blank(START_MS) == late
    assert spool.take_blank(START_MS) is None
    assert spool.blanks_left(START_MS) == 0


def test_figures_tell_bytes_and_the_oldest_of_a_lane(spool: Spool) -> None:
    _put(spool, outgoing(1, at_ms=START_MS + 5), outgoing(2, at_ms=START_MS), outgoing(3, Up.OUTCOME))
    frames = spool.stats().lanes[Lane.FRAMES]
    assert (frames.size_bytes, frames.oldest_at_ms) == (2 * FRAME_BYTES, START_MS)


def test_closing_twice_is_harmless(spool: Spool) -> None:
    spool.close()
    spool.close()
