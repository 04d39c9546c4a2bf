"""What the doctor thinks of the uplink."""

import pytest

from edge_agent.checkup import Verdict
from edge_agent.uplink.certificate_life import MS_PER_DAY, CertificateLife
from edge_agent.uplink.checkup import judge_blanks, judge_certificate, judge_cloud_time, judge_spool

MIB = 1 << 20


@pytest.mark.parametrize(
    ("day", "verdict"), [(1, Verdict.OK), (62, Verdict.WARNING), (89, Verdict.WARNING), (90, Verdict.FAILED)]
)
def test_a_certificate_is_judged_by_its_days(day: int, verdict: Verdict) -> None:
    """Whoever gets a warning or worse gets a remedy."""
    finding = judge_certificate(CertificateLife(0, 90 * MS_PER_DAY), day * MS_PER_DAY)
    assert finding.verdict is verdict
    assert bool(finding.remedy) == (verdict is not Verdict.OK)


@pytest.mark.parametrize(("left", "verdict"), [(0, Verdict.WARNING), (5, Verdict.WARNING), (50, Verdict.OK)])
def test_few_blanks_are_told(left: int, verdict: Verdict) -> None:
    """None is no failure: a till works without them."""
    assert judge_blanks(left).verdict is verdict


@pytest.mark.parametrize(
    ("used", "free", "aside", "verdict"),
    [
        (1, 1000, 0, Verdict.OK),
        (90, 1000, 0, Verdict.WARNING),
        (1, 50, 0, Verdict.WARNING),
        (1, 1000, 2, Verdict.WARNING),
    ],
)
def test_a_spool_is_judged_by_its_room(used: int, free: int, aside: int, verdict: Verdict) -> None:
    """Nearly full, no disk behind it, or messages that cannot go."""
    finding = judge_spool(
        messages=3, used_bytes=used * MIB, max_bytes=100 * MIB, free_bytes=free * MIB, aside=aside
    )
    assert finding.verdict is verdict


def test_a_clock_behind_the_clouds_is_a_failure() -> None:
    """It would date consents wrongly without the floor."""
    assert judge_cloud_time(now_ms=0, floor_ms=9_000, behind=True).verdict is Verdict.FAILED
    assert judge_cloud_time(now_ms=9_000, floor_ms=0, behind=False).verdict is Verdict.OK
