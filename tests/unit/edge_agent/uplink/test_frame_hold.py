"""Pictures in memory: few, for seconds, and zeros at the end."""

from uuid import UUID

import numpy as np

from edge_agent.uplink.frame_hold import MAX_HELD_BYTES, FrameHold, HeldFrame
from tests.builders.records import interaction_id


def held(until_ns: int = 10, shape: tuple[int, ...] = (16, 16, 3)) -> HeldFrame:
    return HeldFrame(np.full(shape, 7, np.uint8), 1, until_ns, "mango", None)


def put(hold: FrameHold, number: int, frame: HeldFrame) -> tuple[UUID, ...]:
    return hold.put(interaction_id(number), frame)


def test_a_picture_is_taken_out_once() -> None:
    """Who takes it overwrites it; the next one finds nothing."""
    hold, frame = FrameHold(), held()
    put(hold, 1, frame)
    assert interaction_id(1) in hold
    assert hold.take(interaction_id(1)) is frame
    assert frame.pixels.any()
    assert hold.take(interaction_id(1)) is None
    assert not hold.drop(interaction_id(1))


def test_time_and_the_end_leave_zeros() -> None:
    """At the very moment of its end, not a look later."""
    hold, early, late = FrameHold(), held(10), held(20)
    put(hold, 1, early)
    put(hold, 2, late)
    assert hold.expire(9) == ()
    assert hold.expire(10) == (interaction_id(1),)
    assert not early.pixels.any()
    assert late.pixels.any()
    assert hold.clear() == (interaction_id(2),)
    assert not late.pixels.any()


def test_large_pictures_are_fewer() -> None:
    """The bound is in bytes too; one picture may always wait."""
    hold = FrameHold()
    side = int((MAX_HELD_BYTES * 0.7 / 3) ** 0.5)
    first = held(shape=(side, side, 3))
    assert put(hold, 1, first) == ()
    assert put(hold, 2, held(shape=(side, side, 3))) == (interaction_id(1),)
    assert not first.pixels.any()
    assert "7" not in repr(held())


def test_a_picture_waits_longer_for_a_phone_and_never_shorter() -> None:
    """The same pixels, another end; one that is not here cannot wait."""
    hold, frame = FrameHold(), held(10)
    put(hold, 1, frame)
    assert hold.wait_until(interaction_id(1), 20)
    assert hold.wait_until(interaction_id(1), 5)
    assert not hold.wait_until(interaction_id(2), 20)
    assert hold.expire(19) == ()
    assert hold.expire(20) == (interaction_id(1),)
    assert not frame.pixels.any()
