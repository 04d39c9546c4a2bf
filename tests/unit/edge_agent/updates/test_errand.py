"""The pipe between agent and updater: what is said comes out as it was, and nothing else comes out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.updates.errand import (
    AGENT_SAYS,
    HEAD_MAX_BYTES,
    LISTED_MAX,
    UPDATER_SAYS,
    BrokenPipeTalk,
    Done,
    Failed,
    FromAgent,
    FromUpdater,
    Job,
    Need,
    Piece,
    PieceStatus,
    Progress,
    Reader,
    Tried,
    Verified,
    frame,
    pack_listing,
)
from wire_protocol.fleet_messages import MetadataSeen, UpdateReason, UpdateState
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES

LISTING = {3: "ab" * 32, 7: "cd" * 32}
VERIFIED = Verified(MetadataSeen(1, 2, 3, 4, 5, 6), pack_listing(LISTING), (4, 5))
JOB = Job(b"x" * 16, "gelateria-sole", "1.2.3", "/r", "/m", "/s", "/l", release=3, digest="a" * 64)
FROM_AGENT: list[FromAgent] = [
    JOB,
    Piece(7, PieceStatus.OK, 0, 10, None, 99, b"0123456789"),
    Piece(8, PieceStatus.BUSY, retry_after_ms=500),
]
FROM_UPDATER: list[FromUpdater] = [
    Need(1, "metadata/2.root.json", 0, 100),
    Progress(UpdateState.FETCHING, 1, 2),
    Done(VERIFIED, 3, "a" * 64, "3-" + "a" * 16, "small", "1", Tried(0.5, 1.0, 150, 4, 300.5), "b" * 64),
    Done(VERIFIED),
    Failed(UpdateReason.DISK, "the disk is gone", passing=True, verified=VERIFIED),
    Failed(UpdateReason.WITHDRAWN, "worse than the one before", passing=False),
]


@given(st.integers(1, 200))
def test_what_is_said_comes_out(cut: int) -> None:
    """However the pipe cuts it."""
    for values, says in ((FROM_AGENT, AGENT_SAYS), (FROM_UPDATER, UPDATER_SAYS)):
        reader, data = Reader(says), b"".join(map(frame, values))
        heard = [value for at in range(0, len(data), cut) for value in reader.feed(data[at : at + cut])]
        assert heard == values
        assert not reader.in_the_middle


def test_the_listing_is_unpacked() -> None:
    """Releases and their digests; of very many, the newest."""
    assert VERIFIED.listing == LISTING
    many = Verified(VERIFIED.metadata, pack_listing(dict.fromkeys(range(1, LISTED_MAX + 3), "00" * 32)))
    assert sorted(many.listing) == list(range(3, LISTED_MAX + 3))


def test_a_cut_off_listing_is_none() -> None:
    """A listing ends with an entry."""
    with pytest.raises(ValueError, match="inside of an entry"):
        Verified(VERIFIED.metadata, b"\0" * 37)


def test_release_and_digest_belong_together() -> None:
    """A number alone may name other bytes tomorrow."""
    with pytest.raises(ValueError, match="belong together"):
        Job(b"x" * 16, "gelateria-sole", "1", "/r", "/m", "/s", "/l", release=3)


@pytest.mark.parametrize("value", FROM_UPDATER, ids=lambda value: type(value).__name__)
def test_each_side_says_its_own(value: FromUpdater) -> None:
    """An updater that is told what only it may say hears nothing more."""
    with pytest.raises(BrokenPipeTalk, match="does not take"):
        list(Reader(AGENT_SAYS).feed(frame(value)))


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">BII", 99, 0, 0),
        struct.pack(">BII", 4, HEAD_MAX_BYTES + 1, 0),
        struct.pack(">BII", 4, 1, 1) + b"\xa0\0",
        struct.pack(">BII", 4, 1, 0) + b"\xa0",
        struct.pack(">BII", 4, 1, 0) + b"\xff",
    ],
    ids=["unknown kind", "long head", "attached to progress", "no fields", "no CBOR"],
)
def test_noise_ends_the_talk(data: bytes) -> None:
    """Bounded, closed, strict: nothing after it can be read."""
    with pytest.raises(BrokenPipeTalk):
        list(Reader(UPDATER_SAYS).feed(data))


def test_a_piece_is_no_longer_than_a_message() -> None:
    """The bound is checked before anything is kept."""
    with pytest.raises(BrokenPipeTalk, match="too long"):
        list(Reader(AGENT_SAYS).feed(struct.pack(">BII", 3, 10, FILE_BLOCK_MAX_BYTES + 1)))


@given(st.binary(max_size=200))
def test_any_bytes_are_values_or_an_error(data: bytes) -> None:
    """Nothing but `BrokenPipeTalk` comes out of hostile bytes."""
    try:
        list(Reader(UPDATER_SAYS | AGENT_SAYS).feed(data))
    except BrokenPipeTalk:
        return
