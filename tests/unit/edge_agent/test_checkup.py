import pytest

from edge_agent.checkup import (
    EARLIEST_CLOCK_MS,
    MIN_FREE_BYTES,
    MIN_MEMORY_BYTES,
    Finding,
    Verdict,
    judge_clock,
    judge_cpu,
    judge_disk,
    judge_latency,
    judge_memory,
    judge_pictures,
)

GIB = 1 << 30


def pictures(count: int) -> Finding:
    return judge_pictures("camera", count=count, seconds=2, width=640, height=480, wanted_fps=15)


def disk(free: int, fsync_ms: float = 1.0) -> Finding:
    return judge_disk("/data", free_bytes=free, wanted_bytes=256 << 20, fsync_ms=fsync_ms)


def latency(p50: float, p99: float) -> Finding:
    return judge_latency({"p50": p50, "p90": p50, "p99": p99}, budget_ms=1.0)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (pictures(30), Verdict.OK),
        (pictures(10), Verdict.WARNING),
        (latency(0.3, 1.0), Verdict.OK),
        (latency(0.3, 1.1), Verdict.WARNING),
        (latency(1.1, 1.2), Verdict.FAILED),
        (disk(GIB), Verdict.OK),
        (disk(GIB, fsync_ms=500), Verdict.WARNING),
        (disk(100 << 20), Verdict.WARNING),
        (disk(MIN_FREE_BYTES - 1), Verdict.FAILED),
        (judge_memory(available_bytes=MIN_MEMORY_BYTES), Verdict.OK),
        (judge_memory(available_bytes=MIN_MEMORY_BYTES - 1), Verdict.FAILED),
        (judge_clock(now_ms=EARLIEST_CLOCK_MS, local="2026", synchronised=True), Verdict.OK),
        (judge_clock(now_ms=EARLIEST_CLOCK_MS, local="2026", synchronised=None), Verdict.OK),
        (judge_clock(now_ms=EARLIEST_CLOCK_MS, local="2026", synchronised=False), Verdict.WARNING),
        (judge_clock(now_ms=0, local="1970", synchronised=True), Verdict.FAILED),
        (judge_cpu("AVX2", fast=False, slow=False), Verdict.OK),
        (judge_cpu("SSE4", fast=False, slow=True), Verdict.WARNING),
    ],
)
def test_each_judgement_and_its_remedy(finding: Finding, verdict: Verdict) -> None:
    """Whatever is not good comes with one line of what to do."""
    assert finding.verdict is verdict
    assert bool(finding.remedy) is (verdict is not Verdict.OK)


def test_a_finding_is_four_texts_in_json() -> None:
    assert disk(GIB).as_json().keys() == {"check", "verdict", "said", "remedy"}
