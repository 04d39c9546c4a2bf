"""A certificate's life."""

import pytest

from edge_agent.uplink.certificate_life import MS_PER_DAY, CertificateLife, Life

LIFE = CertificateLife(0, 90 * MS_PER_DAY)


@pytest.mark.parametrize(
    ("day", "state", "alarm"),
    [
        (-10, Life.FRESH, None),
        (59.9, Life.FRESH, None),
        (60, Life.DUE, 30),
        (75.9, Life.DUE, 30),
        (76, Life.DUE, 14),
        (87, Life.DUE, 3),
        (90, Life.EXPIRED, 0),
        (4000, Life.EXPIRED, 0),
    ],
)
def test_it_is_renewed_at_two_thirds_and_cries_at_30_14_and_3_days_t20(
    day: float, state: Life, alarm: int | None
) -> None:
    """T20: by a moved clock, from before its beginning to years after its end."""
    assert LIFE.state(round(day * MS_PER_DAY)) is state
    assert LIFE.alarm(round(day * MS_PER_DAY)) == alarm


def test_a_short_life_is_no_alarm_before_it_is_due() -> None:
    """A certificate of a week is renewed after five days; until then all is well."""
    week = CertificateLife(0, 7 * MS_PER_DAY)
    assert week.alarm(4 * MS_PER_DAY) is None
    assert week.alarm(5 * MS_PER_DAY) == 3
