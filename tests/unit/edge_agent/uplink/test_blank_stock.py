import pytest

from edge_agent.uplink.blank_stock import LEAST, MOST, Consumption, stock, wanted
from tests.builders.records import START_MS
from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX

_DAY_MS = 86_400_000


@pytest.mark.parametrize(("peak", "expected"), [(0, LEAST), (3, LEAST), (40, 560), (10_000, MOST)])
def test_the_stock_lasts_two_weeks_within_bounds(peak: int, expected: int) -> None:
    assert stock(peak) == expected


@pytest.mark.parametrize(
    ("left", "peak", "expected"),
    [
        (0, 0, LEAST),
        (LEAST, 0, 0),
        (40, 0, 0),  # four fifths are enough: not one message for every blank
        (39, 0, 11),
        (0, 40, BLANKS_PER_MESSAGE_MAX),
        (500, 40, 0),
        (400, 40, 160),
        (5000, 40, 0),
    ],
)
def test_what_is_missing_is_asked_for_a_message_at_a_time(left: int, peak: int, expected: int) -> None:
    assert wanted(left, peak) == expected


def test_asking_again_and_again_fills_the_stock_and_ends() -> None:
    left, asked = 0, []
    while number := wanted(left, 100):
        left += number
        asked.append(number)
    assert stock(100) * 0.8 <= left <= stock(100)
    assert max(asked) <= BLANKS_PER_MESSAGE_MAX


def test_the_busiest_of_the_last_days_counts_over_restarts() -> None:
    consumption = Consumption()
    for day, count in enumerate([5, 60, 10]):
        for _ in range(count):
            consumption.note(START_MS + day * _DAY_MS)
            consumption = Consumption.parse(consumption.text())
    assert consumption.peak_per_day == 60


def test_a_busy_day_is_forgotten_after_four_weeks_of_use() -> None:
    """And what is kept stays small, whatever the clock does."""
    consumption = Consumption()
    for _ in range(60):
        consumption.note(START_MS)
    for day in range(1, 40):
        consumption.note(START_MS + day * _DAY_MS)
    assert consumption.peak_per_day == 1
    assert len(consumption.used) <= 28


@pytest.mark.parametrize("damaged", ["{", "[]", "null", '{"x": 1}', '{"1": []}'])
def test_a_damaged_state_begins_anew(damaged: str) -> None:
    assert Consumption.parse(damaged) == Consumption()
