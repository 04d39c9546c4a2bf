from pathlib import Path

import pytest

from benchmarks import step_notes
from benchmarks.step_notes import PARTS, Note


def test_what_is_noted_is_read(tmp_path: Path) -> None:
    """Agent and updater append to one file; a line that is half written waits."""
    file = tmp_path / "steps"
    assert step_notes.read(file) == []
    step_notes.noting(str(file), "agent")("SENT")
    step_notes.noting(str(file), "updater")("START")
    with file.open("a", encoding="ascii") as half:
        half.write("179")
    notes = step_notes.read(file)
    assert [note.step for note in notes] == ["agent.SENT", "updater.START"]
    assert notes[0].at_s <= notes[1].at_s


def test_the_parts_make_the_whole() -> None:
    """Each begins where the one before it ended, so nothing of the way is left out or counted twice."""
    reached = {last: 10.0 + number for number, (_, _, last) in enumerate(PARTS, 1)}
    found = step_notes.parts(reached, 10.0)
    whole = found.pop("whole")
    assert whole == sum(found.values()) == 1000.0 * len(PARTS)
    with pytest.raises(KeyError, match="SWAPPED"):
        step_notes.parts({step: at for step, at in reached.items() if step != "agent.SWAPPED"}, 10.0)


def test_steps_of_an_earlier_update_do_not_count() -> None:
    """And of a later one only the first time."""
    notes = [Note("agent.SENT", 1.0), Note("agent.SENT", 5.0), Note("agent.SENT", 6.0)]
    assert step_notes.since(notes, 2.0) == {"agent.SENT": 5.0}
