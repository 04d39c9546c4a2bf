"""What ends soon is said at 30, 14 and 3 days."""

import pytest

from cloud.enrolment.certificates import DAY_MS
from cloud.enrolment.expiry import Ending, Expiring, Urgency, alarms, renewal_due

END_MS = 1_795_000_000_000


@pytest.mark.parametrize("kind", Expiring)
@pytest.mark.parametrize(
    ("before_ms", "urgency"),
    [
        (30 * DAY_MS + 1, None),
        (30 * DAY_MS, Urgency.SOON),
        (14 * DAY_MS + 1, Urgency.SOON),
        (14 * DAY_MS, Urgency.NEAR),
        (3 * DAY_MS + 1, Urgency.NEAR),
        (3 * DAY_MS, Urgency.URGENT),
        (1, Urgency.URGENT),
        (0, Urgency.EXPIRED),
        (-DAY_MS, Urgency.EXPIRED),
    ],
)
def test_alarms_are_raised_at_30_14_and_3_days(
    kind: Expiring, before_ms: int, urgency: Urgency | None
) -> None:
    """T20: of registers, authorities, servers, services and lists alike."""
    found = alarms([Ending(kind, "it", 0, END_MS)], END_MS - before_ms)
    assert [alarm.urgency for alarm in found] == ([] if urgency is None else [urgency])


def test_the_nearest_end_comes_first() -> None:
    """With whole days, rounded down."""
    endings = [Ending(Expiring.SERVER, f"in {days}", 0, END_MS + days * DAY_MS) for days in (9, 2, 20)]
    found = alarms(endings, END_MS + 1)
    assert [(alarm.name, alarm.days_left) for alarm in found] == [("in 2", 1), ("in 9", 8), ("in 20", 19)]


def test_renewal_is_due_at_two_thirds() -> None:
    """T20: of the life, whatever its length."""
    assert not renewal_due(0, 90 * DAY_MS, 60 * DAY_MS - 1)
    assert renewal_due(0, 90 * DAY_MS, 60 * DAY_MS)
