from itertools import product

import pytest

from edge_agent.uplink.connection import TABLE, Connection, State, Step
from edge_agent.uplink.delivery_policy import DeliveryPolicy

_POLICY = DeliveryPolicy(start_jitter_ms=2000)


def _in(state: State) -> Connection:
    connection = Connection(_POLICY, lambda: 0.5)
    connection.state = state
    return connection


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_a_step_is_in_the_table_or_an_error(state: State, step: Step) -> None:
    connection = _in(state)
    if (state, step) in TABLE:
        assert connection.step(step, 0) is TABLE[state, step]
    else:
        with pytest.raises(ValueError, match="cannot become"):
            connection.step(step, 0)
        assert connection.state is state


def test_every_state_is_reached_and_left() -> None:
    assert set(TABLE.values()) == {state for state, _ in TABLE} == set(State)


def test_the_first_attempt_waits_for_some_of_the_jitter() -> None:
    """T16: a shopping centre's tills get their power back in the same second."""
    connection = _in(State.WAITING)
    assert [connection.overdue(now_ms) for now_ms in (100, 1099, 1100)] == [None, None, Step.DUE]


def test_back_off_grows_until_a_connection_lasts() -> None:
    """T16: a connection of seconds is no success."""
    connection, now_ms, waits = _in(State.WAITING), 0, []
    for lasted_ms in (10, 59_999, 10, 60_000, 10):
        connection.step(Step.DUE, now_ms)
        connection.step(Step.CONNECTED, now_ms)
        now_ms += lasted_ms
        connection.step(Step.DISCONNECTED, now_ms)
        assert connection.deadline_ms is not None
        waits.append(connection.deadline_ms - now_ms)
        now_ms = connection.deadline_ms
    assert waits == [4500, 8500, 16_500, 4500, 8500]


def test_an_attempt_has_its_time() -> None:
    connection = _in(State.WAITING)
    connection.step(Step.DUE, 1000)
    assert connection.overdue(30_999) is None
    assert connection.overdue(31_000) is Step.OVERDUE
