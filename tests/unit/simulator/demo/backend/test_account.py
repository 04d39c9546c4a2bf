import pytest

from simulator.demo.backend.account import FrameAccount, receipt_quantiles_ms

_LANE = {
    "captured": 20, "stored": 8, "refused": 1, "gone": 1, "dropped": {"sampled": 2, "full": 1},
    "without_consent": 5, "spooled": 2, "lost": 0, "bytes": 3, "oldest_at_ms": None, "set_aside": {},
}  # fmt: skip


def test_what_has_an_end_or_waits_is_not_lost() -> None:
    account = FrameAccount.of_lane(_LANE)
    assert account.dropped == 3
    assert account.lost == 0


def test_lost_is_worked_out_and_not_believed() -> None:
    assert FrameAccount.of_lane({**_LANE, "stored": 7}).lost == 1


def test_registers_add_up() -> None:
    both = FrameAccount.of_lane(_LANE) + FrameAccount.of_lane({**_LANE, "captured": 21})
    assert (both.captured, both.stored, both.lost) == (41, 16, 1)


def _metrics(*counts: int) -> str:
    lines = ["# TYPE topscoop_uplink_receipt_seconds histogram"]
    bounds = ("0.01", "0.1", "+Inf")
    for bound, count in zip(bounds, counts, strict=True):
        lines.append(f'topscoop_uplink_receipt_seconds_bucket{{le="{bound}"}} {count}')
    return "\n".join([*lines, ""])


def test_histograms_of_several_agents_give_one_median() -> None:
    found = receipt_quantiles_ms([_metrics(5, 10, 10), _metrics(0, 10, 10)])
    assert found is not None
    # 5 of 20 within 10 ms, 15 evenly up to 100 ms: the tenth is a third of the way.
    assert found.p50 == pytest.approx(10 + 90 * 5 / 15)
    assert found.p99 == pytest.approx(10 + 90 * 14.8 / 15)


def test_without_a_receipt_there_is_no_median() -> None:
    assert receipt_quantiles_ms([]) is None
    assert receipt_quantiles_ms([_metrics(0, 0, 0), "up 1\n"]) is None


def test_beyond_the_last_bound_the_bound_is_told() -> None:
    found = receipt_quantiles_ms([_metrics(0, 0, 4)])
    assert found is not None
    assert found.p50 == 100
