from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.presence import TABLE, Action, Presence, PresenceState, Reading

OPEN_AFTER_MS, CLOSE_AFTER_MS = 400, 2000

readings = st.lists(st.tuples(st.integers(0, 1500), st.sampled_from(Reading)), max_size=80)


def follow(
    looks: list[tuple[int, Reading]],
    *,
    open_after_ms: int = OPEN_AFTER_MS,
    close_after_ms: int = CLOSE_AFTER_MS,
) -> list[tuple[int, Reading, PresenceState, Action]]:
    """Time, reading, state and action of each look: (milliseconds since the one before, reading)."""
    presence, now_ms, rows = Presence(), 0, []
    for gap_ms, reading in looks:
        now_ms += gap_ms
        presence, action = presence.observe(
            reading, now_ms, open_after_ms=open_after_ms, close_after_ms=close_after_ms
        )
        rows.append((now_ms, reading, presence.state, action))
    return rows


def actions(looks: list[tuple[int, Reading]], **waits: int) -> list[Action]:
    return [action for *_, action in follow(looks, **waits)]


def test_the_table_has_every_state_and_reading() -> None:
    assert set(TABLE) == {(state, reading) for state in PresenceState for reading in Reading}


def test_a_customer_is_opened_once_and_closed_once() -> None:
    looks = [(200, Reading.SOMEBODY)] * 20 + [(200, Reading.NOBODY)] * 20
    taken = [(at, action) for at, _, _, action in follow(looks) if action is not Action.NONE]
    assert taken == [(600, Action.OPEN), (6200, Action.CLOSE)]


def test_a_passer_by_is_no_customer() -> None:
    looks = [(200, Reading.SOMEBODY), (200, Reading.SOMEBODY), (100, Reading.NOBODY)] * 10
    assert set(actions(looks)) == {Action.NONE}


def test_who_bends_down_has_not_left() -> None:
    looks = [(500, Reading.SOMEBODY)] * 3 + [(900, Reading.NOBODY), (900, Reading.NOBODY)]
    looks += [(100, Reading.SOMEBODY), (900, Reading.NOBODY), (900, Reading.NOBODY), (100, Reading.SOMEBODY)]
    assert actions(looks).count(Action.OPEN) == 1
    assert Action.CLOSE not in actions(looks)


def test_a_camera_that_goes_away_lets_the_customer_go_after_the_same_time() -> None:
    looks = [(500, Reading.SOMEBODY)] * 3 + [(500, Reading.UNKNOWN)] * 5
    assert actions(looks)[-1] is Action.CLOSE


def test_without_waiting_times_one_look_opens_and_one_closes() -> None:
    looks = [(200, Reading.SOMEBODY), (200, Reading.NOBODY)]
    assert actions(looks, open_after_ms=0, close_after_ms=0) == [Action.OPEN, Action.CLOSE]


@given(readings, st.sampled_from([0, 400]), st.sampled_from([0, 2000]))
def test_opened_and_closed_take_turns(looks: list[tuple[int, Reading]], opening: int, closing: int) -> None:
    """Never two open at once, never one closed that was not open."""
    every = actions(looks, open_after_ms=opening, close_after_ms=closing)
    taken = [action for action in every if action is not Action.NONE]
    assert all(first is not second for first, second in pairwise(taken))
    assert not taken or taken[0] is Action.OPEN


@given(readings)
def test_it_does_not_flap(looks: list[tuple[int, Reading]]) -> None:
    """All looks of the time before an opening saw somebody, and none before a closing did."""
    rows = follow(looks)
    for index, (now_ms, _, _, action) in enumerate(rows):
        if action is Action.NONE:
            continue
        wait_ms = OPEN_AFTER_MS if action is Action.OPEN else CLOSE_AFTER_MS
        since = [reading for at, reading, *_ in rows[: index + 1] if at > now_ms - wait_ms]
        assert all((reading is Reading.SOMEBODY) is (action is Action.OPEN) for reading in since)


@given(readings)
def test_the_state_says_whether_one_is_open(looks: list[tuple[int, Reading]]) -> None:
    is_open = False
    for _, _, state, action in follow(looks):
        is_open = {Action.OPEN: True, Action.CLOSE: False}.get(action, is_open)
        assert is_open is (state in {PresenceState.PRESENT, PresenceState.LEAVING})
