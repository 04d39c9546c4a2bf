"""How the demo's releases go through a chain: three stages, and gates for minutes instead of days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ANSWERS_BEFORE: Final = 32
"""Customers that a chain serves before its first rollout: something to compare drift with."""
_ANSWERS: Final = 8
_DRIFT_OF_LABELS: Final = 2.1
_DRIFT_OF_CONFIDENCE: Final = 2.5
"""A handful of answers drifts by luck. In 3,000 draws from this world of 8 answers after 30, the labels of an
unchanged model drifted by 2.0 at most, those of one that always offers one flavour first by 2.1 at least."""
_WITHIN_S: Final = 600
"""For registers that say nothing, or come to no end; a busy machine is slow, and not dead."""


def release_plan(hold_s: int) -> Mapping[str, Any]:
    """A plan as `topscoop rollout plan --plan` reads it.

    Args:
        hold_s: How long each stage is watched at least.
    """
    stages = [
        {"name": "first till", "count": 1, "hold_s": hold_s},
        {"name": "half", "share": 0.5, "hold_s": hold_s},
        {"name": "all", "share": 1.0, "hold_s": hold_s},
    ]
    gates = {
        "minimum_recommendations": _ANSWERS,
        "label_drift": _DRIFT_OF_LABELS,
        "confidence_drift": _DRIFT_OF_CONFIDENCE,
    }
    timers = dict.fromkeys(("silent_after_s", "unfinished_after_s", "unreached_after_s"), _WITHIN_S)
    return {"stages": stages, "gates": gates, "pace_per_minute": 60, **timers}
