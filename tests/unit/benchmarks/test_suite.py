from benchmarks.setting import Outcome
from benchmarks.suite import Row, chosen, status_of
from benchmarks.verdict import BaselineCheck, Exit, Figure, Goal


def _nothing(_: object) -> Outcome:
    return Outcome()


def test_rows_are_chosen_by_name_in_their_own_order() -> None:
    """The order of the command line does not matter; without names, all are measured."""
    rows = [Row(name, "", _nothing) for name in ("first", "second", "third")]
    assert [row.name for row in chosen(rows, ["third", "first"])] == ["first", "third"]
    assert chosen(rows, None) == rows


def test_the_status_is_that_of_every_row() -> None:
    """A row that missed decides, however many pass; then a baseline that flatters."""
    good = Outcome(figures=[Figure("good", 1.0, "", Goal(2.0))])
    missed = Outcome(figures=[Figure("missed", 3.0, "", Goal(2.0))])
    slow = Outcome(baselines=[BaselineCheck("slow", 1.0, 2.0, comparable=True)])
    assert status_of({"a": good}) is Exit.GOOD
    assert status_of({"a": good, "b": slow}) is Exit.SLOW_BASELINE
    assert status_of({"a": good, "b": slow, "c": missed}) is Exit.MISSED
