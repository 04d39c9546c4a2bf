import pytest

from benchmarks.collector_rows import register
from benchmarks.setting import Outcome
from benchmarks.verdict import Verdict


def _told(idle: list[float], draining: list[float]) -> Outcome:
    found: dict[str, list[float] | int] = {"idle": idle, "draining": draining, "before": 10, "after": 5}
    return register._told(Outcome(), found)


@pytest.mark.parametrize(("slower", "verdict"), [(1.05, Verdict.PASS), (1.2, Verdict.MISSED)])
def test_the_ratio_is_that_of_the_99th_percentiles(slower: float, verdict: Verdict) -> None:
    """The median may be what it wants."""
    idle = [1.0] * 98 + [4.0, 4.0]
    draining = [0.5] * 98 + [4.0 * slower] * 2
    figure = _told(idle, draining).figures[0]
    assert figure.value == pytest.approx(slower)
    assert figure.verdict is verdict
    assert "10 messages waited, 5 at the end" in figure.note
