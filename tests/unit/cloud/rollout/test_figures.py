import json
from dataclasses import replace

import pytest

from cloud.rollout.figures import figures_from, figures_to, stage_figures
from cloud.rollout.values import Member, MemberState, StageFigures
from tests.builders.rollouts import OLD_DIGEST, good, running, told


def test_reports_are_summed_up_by_stage() -> None:
    """Median and slowest p99, counts, columns; of those that were told, know it, and attest the release."""
    members = [
        *(told(f"till-{number}", state=MemberState.GOOD) for number in range(1, 4)),
        told("old", state=MemberState.TOLD),
        told("late", state=MemberState.TOLD),
        Member("later", "harbour", 1, MemberState.WAITING),
    ]
    said = [good(f"till-{number}", p99_ms=float(number), errors=number) for number in range(1, 4)]
    said += [good("old", running_digest=OLD_DIGEST), good("late", generation=4), good("later")]
    first, everybody = stage_figures(running(), members, {one.register: one for one in said})
    assert first == StageFigures("first", 3, 2.0, 3.0, 300, 6, (30,) * 10, (120, 90, 60, 30))
    assert everybody == StageFigures("all")


def test_counts_of_another_catalogue_are_left_out() -> None:
    """They cannot be added column by column."""
    members = [told("a", state=MemberState.GOOD), told("b", state=MemberState.GOOD)]
    known = {"a": good("a"), "b": good("b", labels=(9, 9))}
    assert stage_figures(running(), members, known)[0].labels == (40, 30, 20, 10)


@pytest.mark.parametrize(
    "figures",
    [StageFigures("all"), StageFigures("first", 1, 3.1, 3.1, 100, 2, (1, 2), (3,))],
    ids=["no", "some"],
)
def test_what_is_kept_is_read_as_it_was(figures: StageFigures) -> None:
    """Through JSON, as a timeline's detail has it; and it differs where it differs."""
    assert figures_from(json.loads(json.dumps(figures_to(figures)))) == figures
    assert figures_to(figures) != figures_to(replace(figures, errors=99))
