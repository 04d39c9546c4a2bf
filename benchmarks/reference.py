"""What the baselines reached when they were first built, so that a slow one is noticed.

A ratio is only worth something when what it is taken against is as good as it can be. These figures were
measured with the same baselines in November 2026 on a 2-core AMD EPYC (AVX-512 VNNI), Debian 12,
CPython 3.11.7: one client on loopback, back to back, a 640x480 JPEG in, three flavours out.

The network was another then (median 0.145 ms), so the two are compared without their network's time.
"""

from dataclasses import dataclass

from benchmarks.verdict import BaselineCheck

REFERENCE_CPU = "AMD EPYC"
"""Model name in /proc/cpuinfo of the machine of these figures."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One baseline's figures, with the median of the network that it served then (milliseconds)."""

    name: str
    p50_ms: float
    p99_ms: float
    network_p50_ms: float


FASTAPI = Reference("FastAPI + uvicorn", 1.595, 2.786, 0.145)
LITSERVE = Reference("LitServe", 2.577, 4.261, 0.145)


def check(
    reference: Reference, *, statistic: str, measured_ms: float, network_p50_ms: float, cpu: str
) -> BaselineCheck:
    """Compare one statistic (`p50` or `p99`), both sides less the median of the network they served."""
    expected_ms = {"p50": reference.p50_ms, "p99": reference.p99_ms}[statistic]
    comparable = cpu.strip() == REFERENCE_CPU
    return BaselineCheck(
        name=f"{reference.name} {statistic}, without the network's time",
        reference_ms=expected_ms - reference.network_p50_ms,
        measured_ms=measured_ms - network_p50_ms,
        comparable=comparable,
        note="" if comparable else f"the reference was measured on {REFERENCE_CPU}, this is {cpu}",
    )
