"""Latencies in a few numbers."""

from collections.abc import Collection, Mapping

import numpy as np

SHARES = {"p50": 50, "p90": 90, "p99": 99}


def quantiles(values_ms: Collection[float]) -> Mapping[str, float] | None:
    """p50, p90 and p99 of milliseconds, to the microsecond; None of nothing."""
    if not values_ms:
        return None
    points = np.percentile(np.fromiter(values_ms, float), list(SHARES.values()))
    return {name: round(float(point), 3) for name, point in zip(SHARES, points, strict=True)}


def in_words(values: Mapping[str, float] | None) -> str:
    """`p50 0.21 · p90 0.25 · p99 0.31 ms`, or a dash."""
    if values is None:
        return "-"
    return " · ".join(f"{name} {value:.2f}" for name, value in values.items()) + " ms"
