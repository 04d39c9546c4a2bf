import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.interactions import (
    MAX_CLOSED,
    MAX_OPEN,
    TRANSITIONS,
    Event,
    Interactions,
    InvalidTransitionError,
    State,
    step,
)
from tests.builders.records import interaction_id

LIFETIME_NS = 1000


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_is_in_the_table_or_an_error(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert step(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(InvalidTransitionError, match=f"{state} cannot {event}"):
            step(state, event)


def test_the_documented_diagram_is_the_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "edge-records.md").read_text("utf-8")
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", text, re.MULTILINE)
    assert drawn == [(state.value, to.value, event.value) for (state, event), to in TRANSITIONS.items()]


def test_only_showing_what_is_over_is_impossible() -> None:
    impossible = [pair for pair in product(State, Event) if pair not in TRANSITIONS]
    assert impossible == [(State.EXPIRED, Event.DISPLAY)]


def test_nothing_takes_a_purchase_back() -> None:
    assert {to for (state, _), to in TRANSITIONS.items() if state is State.BOUGHT} == {State.BOUGHT}


def test_an_interaction_expires_when_its_time_is_over() -> None:
    interactions = Interactions(lifetime_ns=LIFETIME_NS)
    interactions.open(interaction_id(1), 0)
    interactions.open(interaction_id(2), 500)
    assert interactions.expire(999) == ()
    assert interactions.expire(1000) == (interaction_id(1),)
    assert interactions.expire(1000) == ()
    assert interactions.open_count == 1


def test_a_late_purchase_still_counts() -> None:
    interactions = Interactions(lifetime_ns=LIFETIME_NS)
    interactions.open(interaction_id(1), 0)
    interactions.expire(LIFETIME_NS)
    assert interactions.apply(interaction_id(1), Event.BUY) is State.BOUGHT


def test_what_was_bought_does_not_expire() -> None:
    interactions = Interactions(lifetime_ns=LIFETIME_NS)
    interactions.open(interaction_id(1), 0)
    interactions.apply(interaction_id(1), Event.BUY)
    assert interactions.expire(10 * LIFETIME_NS) == ()


def test_an_unknown_interaction_is_an_error() -> None:
    with pytest.raises(KeyError):
        Interactions(lifetime_ns=LIFETIME_NS).apply(interaction_id(1), Event.BUY)


def test_the_oldest_open_one_is_let_go_when_there_are_too_many() -> None:
    interactions = Interactions(lifetime_ns=LIFETIME_NS)
    evicted = [interactions.open(interaction_id(number), number) for number in range(MAX_OPEN + 1)]
    assert evicted[-1] == (interaction_id(0),)
    assert not any(evicted[:-1])
    remembered = interactions.find(interaction_id(0))
    assert remembered is not None
    assert remembered.state is State.EXPIRED


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([*Event, None]), st.integers(0, 400))))
def test_memory_is_bounded_and_counts_are_right(script: list[tuple[int, Event | None, int]]) -> None:
    """Any script of openings, events and time against a plain dictionary."""
    interactions, model, opened, now = Interactions(lifetime_ns=LIFETIME_NS), {}, {}, 0
    for number, event, elapsed in script:
        now += elapsed
        one = interaction_id(number)
        if event is None:
            if one not in model:
                interactions.open(one, now)
                model[one], opened[one] = State.OPENED, now
        elif one in model and (model[one], event) in TRANSITIONS:
            model[one] = TRANSITIONS[model[one], event]
            assert interactions.apply(one, event) is model[one]
        for over in interactions.expire(now):
            assert model[over] in {State.OPENED, State.DISPLAYED}
            assert now - opened[over] >= LIFETIME_NS
            model[over] = State.EXPIRED
        waiting = [key for key, state in model.items() if state in {State.OPENED, State.DISPLAYED}]
        assert interactions.open_count == len(waiting)
        assert all(now - opened[key] < LIFETIME_NS for key in waiting)


def test_ended_ones_are_forgotten_in_the_end() -> None:
    interactions = Interactions(lifetime_ns=1)
    for number in range(MAX_CLOSED + 10):
        interactions.open(interaction_id(number), number)
        interactions.expire(number + 1)
    assert interactions.find(interaction_id(0)) is None
    assert interactions.find(interaction_id(MAX_CLOSED + 9)) is not None
