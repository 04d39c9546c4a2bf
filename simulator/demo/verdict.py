"""The demo's result as one JSON object, and whether everything was right. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.demo.live_state import LiveState, quantiles_view
from simulator.demo.scoreboard import ChainScore, Hits


def summary(live: LiveState, memory_mb: Mapping[str, float]) -> Mapping[str, Any]:
    """Counts, latencies, expected hits over all chains, and each agent's resident memory."""
    means = overall(list(live.scores.values()))
    return {
        "interactions": live.interactions,
        "errors": live.error_count,
        "latency_ms": {
            "inference": quantiles_view(live.inference.quantiles),
            "request": quantiles_view(live.request.quantiles),
        },
        "hit_at_3": {
            "model": round(means.model, 4) if means else None,
            "bestsellers": round(means.bestsellers, 4) if means else None,
            "bayes": round(means.bayes, 4) if means else None,
        },
        "memory_mb": {
            **{register: round(megabytes, 1) for register, megabytes in memory_mb.items()},
            "max": round(max(memory_mb.values()), 1) if memory_mb else None,
        },
    }


def overall(scores: Sequence[ChainScore]) -> Hits | None:
    """Mean expected hits of all chains' interactions together; None before the first."""
    counted = sum(score.counted for score in scores)
    if not counted:
        return None
    totals = [0.0, 0.0, 0.0]
    for score in scores:
        for index, mean in enumerate(score.means or ()):
            totals[index] += mean * score.counted
    return Hits(*(total / counted for total in totals))


def faults(live: LiveState, leftovers: Sequence[str]) -> list[str]:
    """What went wrong, in words; empty when all is well."""
    found = list(live.errors)
    if live.error_count > len(found):
        found.append(f"… and {live.error_count - len(found)} more errors")
    if live.unacknowledged:
        found.append(f"{live.unacknowledged} outcomes were not acknowledged")
    found.extend(f"left behind: {leftover}" for leftover in leftovers)
    return found


def shortfalls(live: LiveState, *, interrupted: bool) -> list[str]:
    """What a check misses although nothing went wrong, in words."""
    found = []
    idle = [state.info.id for state in live.registers.values() if not state.served]
    if idle:
        found.append(f"nobody was served at {', '.join(idle)}: give it more seconds, or look at its errors")
    if live.interactions and not any(score.counted for score in live.scores.values()):
        found.append("no slate came from a model: only best-sellers were shown")
    if interrupted:
        found.append("it was interrupted before its time was over")
    return found
