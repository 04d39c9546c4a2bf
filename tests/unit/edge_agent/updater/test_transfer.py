"""One file piece by piece, on a clock that the test turns (T8: endless data, slow retrieval)."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.updater.transfer import (
    FIRST_BYTES,
    Budget,
    FetchFailed,
    FileMissing,
    Transfer,
    TransferLimits,
)
from edge_agent.updates.errand import IN_FLIGHT_MAX, Need, Piece, PieceStatus
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES
from wire_protocol.packing import pack

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = bytes(random.Random(1).randbytes(700_000))
LIMITS = TransferLimits()


def begin(
    *, offset: int = 0, total: int | None = len(CONTENT), longest: int = 1 << 20, pace: int = 1 << 30
) -> Transfer:
    return Transfer(
        "targets/x", offset, total, longest, 0, itertools.count(1), Budget(pace, 1 << 18), lambda: 0.5
    )


def honest(need: Need, content: bytes = CONTENT) -> Piece:
    data = content[need.offset : need.offset + need.length]
    return Piece(need.id, PieceStatus.OK, need.offset, len(content), data=data)


@given(st.integers(0, 2**32), st.integers(0, len(CONTENT)), st.booleans())
def test_all_bytes_in_order_whatever_the_link_does(seed: int, offset: int, known: bool) -> None:  # noqa: FBT001
    """Answers that are lost, late, doubled, out of order, busy or away: the file comes out whole."""
    rng, now, out, air = random.Random(seed), 0, b"", []
    transfer = begin(offset=offset, total=len(CONTENT) if known else None)
    transfer.limits = replace(LIMITS, attempts=1000, grace_ms=1 << 40)
    while not transfer.finished:
        air += transfer.needs(now)
        assert len(transfer._air) <= IN_FLIGHT_MAX
        if air and rng.random() < 0.8:
            need = air.pop(rng.randrange(len(air)))
            fate = rng.random()
            if fate < 0.05:
                out += transfer.take(Piece(need.id, PieceStatus.BUSY, retry_after_ms=50), now)
            elif fate < 0.1:
                out += transfer.take(Piece(need.id, PieceStatus.AWAY), now)
            elif fate > 0.12:
                out += transfer.take(honest(need), now)
                if fate > 0.9:
                    out += transfer.take(honest(need), now)
            now += rng.randrange(50)
        else:
            now = max(now + 1, transfer.wake_ms(now))
    assert out == CONTENT[offset:]


def test_metadata_is_one_request() -> None:
    """A file of unknown length is asked for as a whole message, and nothing beside it."""
    transfer = begin(total=None)
    needs = transfer.needs(0)
    assert [(need.offset, need.length) for need in needs] == [(0, FILE_BLOCK_MAX_BYTES)]
    assert transfer.take(honest(needs[0], b"small"), 5) == b"small"
    assert transfer.finished


def test_an_empty_file_is_a_file() -> None:
    """Its one answer ends it."""
    transfer = begin(total=None)
    assert transfer.take(honest(transfer.needs(0)[0], b""), 5) == b""
    assert transfer.finished


def test_requests_grow_with_the_link() -> None:
    """Small at first and on slow links, so that a cut costs little; up to a message's bound on fast ones."""
    transfer = begin()
    first = transfer.needs(0)
    assert [need.length for need in first] == [FIRST_BYTES] * IN_FLIGHT_MAX
    transfer.take(honest(first[0]), 2)
    assert transfer.needs(2)[0].length == FILE_BLOCK_MAX_BYTES
    slow = begin()
    transfer = slow
    transfer.take(honest(transfer.needs(0)[0]), 1000)
    assert transfer.needs(1000)[0].length == FIRST_BYTES


def test_the_pace_is_kept() -> None:
    """After the burst, no more bytes are asked for than the configuration allows."""
    transfer, now, asked = begin(pace=100_000), 0, 0
    while not transfer.finished:
        for need in transfer.needs(now):
            asked += need.length
            transfer.take(honest(need), now)
            assert asked <= (1 << 18) + 100 * now + FILE_BLOCK_MAX_BYTES
        now = max(now + 1, transfer.wake_ms(now))
    assert now >= (len(CONTENT) - (1 << 18)) / 100 - 1000


def test_a_missing_file_is_said_at_once() -> None:
    """That is how the walk to the newest root ends."""
    transfer = begin(total=None)
    with pytest.raises(FileMissing):
        transfer.take(Piece(transfer.needs(0)[0].id, PieceStatus.MISSING), 1)


@pytest.mark.parametrize("known", [True, False], ids=["target", "metadata"])
def test_endless_data(known: bool) -> None:  # noqa: FBT001
    """T8: a file that claims to be longer than signed, or than anybody takes, ends with its first answer."""
    transfer = begin(total=1000 if known else None, longest=2000)
    need = transfer.needs(0)[0]
    with pytest.raises(FetchFailed, match="bytes"):
        transfer.take(Piece(need.id, PieceStatus.OK, 0, 1 << 26, data=b"x" * need.length), 1)


def test_a_length_that_changes_ends_it() -> None:
    """Pieces of two files are no file."""
    transfer = begin(total=None)
    transfer.take(honest(transfer.needs(0)[0]), 1)
    need = transfer.needs(1)[0]
    with pytest.raises(FetchFailed, match="signed"):
        transfer.take(replace(honest(need), total=len(CONTENT) + 1), 2)


def until_it_ends(transfer: Transfer, answer: Callable[[Need, int], Piece | None]) -> tuple[str, int]:
    """What it says in the end, and when."""
    now = 0
    while True:
        try:
            for need in transfer.needs(now):
                if (piece := answer(need, now)) is not None:
                    transfer.take(piece, now)
        except FetchFailed as error:
            return str(error), now
        now = max(now + 1, transfer.wake_ms(now))


def test_a_packed_piece_is_unpacked() -> None:
    """Its length is that of what comes out."""
    content = bytes(50_000)
    transfer = begin(total=len(content))
    out = b""
    while not transfer.finished:
        for need in transfer.needs(0):
            plain = honest(need, content)
            packed = pack(plain.data)
            assert packed is not None
            out += transfer.take(replace(plain, data=packed, unpacked=len(plain.data)), 1)
    assert out == content


@pytest.mark.parametrize("unpacked", [1, FILE_BLOCK_MAX_BYTES])
def test_what_is_packed_wrongly_is_none(unpacked: int) -> None:
    """T8, T11: not of the length that was said; asked for again a few times, as with any wrong answer."""
    packed = pack(bytes(1 << 20))
    said, _ = until_it_ends(
        begin(),
        lambda need, _: replace(honest(need), data=packed, unpacked=unpacked),
    )
    assert "no answer" in said


def test_slow_retrieval_in_drops() -> None:
    """T8: answers shorter than asked are none; after some of them the transfer ends."""
    said, at_ms = until_it_ends(
        begin(), lambda need, _: Piece(need.id, PieceStatus.OK, need.offset, len(CONTENT), data=b"x")
    )
    assert "no answer" in said
    assert at_ms < 60_000


def test_slow_retrieval_by_silence() -> None:
    """T8: nothing at all is waited for some minutes, and not for ever."""
    said, at_ms = until_it_ends(begin(), lambda *_: None)
    assert "no answer" in said or "slowly" in said
    assert at_ms < 10 * 60_000


def test_slow_retrieval_by_a_service_that_is_always_busy() -> None:
    """T8: a file of unknown length is waited for some minutes, not as long as the longest file may take."""
    said, at_ms = until_it_ends(
        begin(total=None, longest=1 << 26),
        lambda need, _: Piece(need.id, PieceStatus.BUSY, retry_after_ms=50_000),
    )
    assert "slowly" in said
    assert at_ms < LIMITS.first_ms + 60_000


def test_slow_retrieval_by_patience() -> None:
    """T8: answers that come just in time, each of them, still come to an end."""
    length = 1 << 19
    transfer, now = begin(total=length, longest=length), 0
    said = ""
    while not said:
        try:
            for need in transfer.needs(now):
                now += 59_000
                transfer.take(honest(need, bytes(length)), now)
        except FetchFailed as error:
            said = str(error)
        now = max(now + 1, transfer.wake_ms(now))
    assert "too slowly" in said
    assert now < LIMITS.grace_ms + length * 1000 // LIMITS.slowest_bytes_per_s + 300_000


def test_without_a_connection_it_waits_and_then_ends() -> None:
    """One request at a time with growing pauses; after two minutes the agent is told."""
    asked = []

    def away(need: Need, now: int) -> Piece:
        asked.append(now)
        return Piece(need.id, PieceStatus.AWAY)

    said, at_ms = until_it_ends(begin(), away)
    assert "no connection" in said
    assert LIMITS.away_ms <= at_ms < LIMITS.away_ms + LIMITS.pause_max_ms + 1000
    assert len(asked) < 40


def test_strangers_answers_are_dropped() -> None:
    """An id that was never given, or was answered already."""
    transfer = begin()
    need = transfer.needs(0)[0]
    assert transfer.take(replace(honest(need), id=4711), 1) == b""
    assert len(transfer.take(honest(need), 1)) == FIRST_BYTES
    assert transfer.take(honest(need), 1) == b""


def test_a_file_that_ends_early_is_said() -> None:
    """The offset of a part that is longer than the file."""
    transfer = begin(offset=500, total=1000)
    with pytest.raises(FetchFailed, match="ends before"):
        transfer.take(Piece(transfer.needs(0)[0].id, PieceStatus.BEYOND), 1)


def test_a_signed_length_beyond_any_is_refused() -> None:
    """Before anything is asked for."""
    with pytest.raises(FetchFailed, match="more than"):
        begin(total=1 << 21)
