"""The table of states, and the diagram that the docs show."""

from pathlib import Path

import pytest

from cloud.rollout.errors import NotNow
from cloud.rollout.states import TABLE, Event, after, diagram
from cloud.rollout.values import State

_PAGE = Path(__file__).parents[4] / "docs" / "rollouts.md"


def test_nothing_but_a_person_ends_a_pause() -> None:
    """T28: of all events only `resume` leads from paused to running."""
    assert [
        event for (state, event), then in TABLE.items() if state is State.PAUSED and then is State.RUNNING
    ] == [Event.RESUME]


def test_a_stopped_rollout_only_returns() -> None:
    """T28: no event leads from returning or returned to anywhere else."""
    stopped = {State.RETURNING, State.RETURNED}
    assert {then for (state, _), then in TABLE.items() if state in stopped} == {State.RETURNED}


def test_what_the_table_does_not_have_is_refused_with_a_remedy() -> None:
    for state in State:
        for event in Event:
            if (state, event) in TABLE:
                assert after(state, event) is TABLE[state, event]
                continue
            with pytest.raises(NotNow) as refused:
                after(state, event)
            assert refused.value.remedy


def test_the_docs_show_this_table() -> None:
    assert diagram() in _PAGE.read_text("utf-8")
