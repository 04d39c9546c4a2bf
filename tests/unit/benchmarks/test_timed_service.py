from pathlib import Path

import pytest

from benchmarks.timed_service import MARKS, Took, _noting, parts, read, within

MS = 1_000_000


def took(part: str, begun_ms: int, ended_ms: int) -> Took:
    return Took(part, begun_ms * MS, ended_ms * MS, 0)


WAY = [
    took("head", 4, 6),
    took("arrive", 6, 9),
    took("lease", 10, 13),
    took("read", 13, 18),
    took("lease", 14, 20),  # the other thread, which found nothing
    took("decode", 19, 21),
    took("infer", 21, 22),
    took("write", 22, 25),
]


def test_the_parts_of_an_answer_add_up_to_it() -> None:
    """Each begins where the one before ended; pauses between two calls belong to the later one."""
    found = parts(WAY, 1 * MS, 30 * MS)
    assert list(found) == [name for name, _, _ in MARKS]
    assert list(found.values()) == [3, 2, 3, 1, 3, 5, 3, 1, 3, 5]
    assert sum(found.values()) == 29


def test_what_ran_beside_a_longer_part_cost_nothing() -> None:
    """A worker that was awake before the arrival's transaction returned shows no wake-up."""
    early = [took("lease", 8, 13) if one == took("lease", 10, 13) else one for one in WAY]
    found = parts(early, 1 * MS, 30 * MS)
    assert found["job's wake-up"] == 0
    assert sum(found.values()) == 29


def test_an_answer_without_a_part_is_an_error() -> None:
    """Nothing is made up for it."""
    with pytest.raises(KeyError):
        parts(WAY[:-1], 1 * MS, 30 * MS)


def test_a_clock_around_a_method_notes_each_call(tmp_path: Path) -> None:
    """What it returns and raises stays as it was; a half-written line counts not."""

    class Owner:
        def double(self, value: int) -> int:
            return 2 * value

    notes = tmp_path / "notes"
    _noting(str(notes))(Owner, "double", "part")
    assert Owner().double(4) == 8
    with notes.open("a") as file:
        file.write("part 1 2")
    (one,) = read(notes, tmp_path / "missing")
    assert one.part == "part"
    assert one.begun_ns <= one.ended_ns
    assert within([one], one.begun_ns, one.ended_ns) == [one]
    assert within([one], one.ended_ns + 1, one.ended_ns + 2) == []
