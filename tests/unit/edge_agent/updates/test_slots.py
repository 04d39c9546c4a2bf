"""Verdicts on releases."""

from itertools import product
from pathlib import Path

import pytest

from edge_agent.updates.slots import TABLE, Happened, Slot, Verdict, step
from wire_protocol.fleet_messages import UpdateReason


@pytest.mark.parametrize(
    ("verdict", "happened"), list(product(Verdict, Happened)), ids=lambda value: value.value
)
def test_what_the_table_lacks_is_an_error(verdict: Verdict, happened: Happened) -> None:
    """Every pair is a step of the table, or a mistake."""
    if (verdict, happened) in TABLE:
        assert step(verdict, happened) is TABLE[verdict, happened]
    else:
        with pytest.raises(ValueError, match="cannot have"):
            step(verdict, happened)


def test_only_a_trial_makes_good_or_bad() -> None:
    """Nothing becomes GOOD without a trial here, and BAD never GOOD without another."""
    assert {
        before for (before, _), after in TABLE.items() if after is Verdict.GOOD and before is not after
    } == {Verdict.TRIAL}
    assert {after for (before, _), after in TABLE.items() if before is Verdict.BAD} == {
        Verdict.TRIAL,
        Verdict.BAD,
    }


def test_a_slot_remembers_why_it_is_bad() -> None:
    """Reason, words and time belong to the verdict; what changes nothing leaves them."""
    slot = Slot(3, "a" * 64, "3-" + "a" * 16, Verdict.TRIAL, 10)
    bad = slot.after(Happened.FAILED, 20, UpdateReason.ERRORS, "3 of 4")
    assert (bad.verdict, bad.at_ms, bad.reason, bad.words) == (Verdict.BAD, 20, UpdateReason.ERRORS, "3 of 4")
    assert bad.after(Happened.GONE, 30) is bad
    again = bad.after(Happened.STAGED, 40)
    assert (again.verdict, again.reason, again.words) == (Verdict.TRIAL, None, None)
    assert (slot.there, bad.there) == (True, False)


def test_the_page_has_the_table() -> None:
    """docs/model-updates.md shows every step, and no other."""
    page = (Path(__file__).parents[4] / "docs" / "model-updates.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith(tuple(f"| {one} | " for one in Verdict))]
    assert rows == [f"| {before} | {happened} | {after} |" for (before, happened), after in TABLE.items()]
