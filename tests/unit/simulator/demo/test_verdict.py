import pytest

from simulator.demo.live_state import LiveState
from simulator.demo.scoreboard import ChainScore, Hits
from simulator.demo.verdict import faults, overall, shortfalls, summary
from simulator.pos import Interaction
from simulator.shop_simulator import Visit

_ID = "polar-scoop/pier-nine"


@pytest.fixture
def served(live: LiveState, visit: Visit, interaction: Interaction) -> LiveState:
    live.arrived(_ID, visit)
    live.recommended(_ID, interaction)
    live.sold(_ID, 10)
    return live


def test_the_summary_has_exactly_the_promised_keys(served: LiveState) -> None:
    result = summary(served, {_ID: 101.26})
    assert list(result) == ["interactions", "errors", "latency_ms", "hit_at_3", "memory_mb"]
    assert list(result["latency_ms"]) == ["inference", "request"]
    assert list(result["hit_at_3"]) == ["model", "bestsellers", "bayes"]
    assert result["memory_mb"] == {_ID: 101.3, "max": 101.3}


def test_a_day_without_customers_has_no_figures_and_still_a_summary(live: LiveState) -> None:
    result = summary(live, {})
    assert result["hit_at_3"] == {"model": None, "bestsellers": None, "bayes": None}
    assert result["latency_ms"]["request"] == {"p50": None, "p99": None}
    assert result["memory_mb"] == {"max": None}


def test_chains_count_by_their_customers() -> None:
    busy, quiet = ChainScore(), ChainScore()
    for _ in range(3):
        busy.add(Hits(0.6, 0.5, 0.8), realised=True)
    quiet.add(Hits(0.2, 0.1, 0.4), realised=True)
    assert overall([busy, quiet, ChainScore()]) == pytest.approx(Hits(0.5, 0.4, 0.7))
    assert overall([ChainScore()]) is None


def test_a_good_run_has_no_faults_and_no_shortfalls(served: LiveState) -> None:
    assert faults(served, []) == []
    assert shortfalls(served, interrupted=False) == []


def test_every_fault_is_told(served: LiveState, interaction: Interaction) -> None:
    served.failed(_ID, "answered 500")
    served.recommended(_ID, interaction)
    found = faults(served, ["the folder /x"])
    assert found == [
        f"{_ID}: answered 500",
        "1 outcomes were not acknowledged",
        "left behind: the folder /x",
    ]


def test_errors_beyond_those_kept_are_counted(served: LiveState) -> None:
    for _ in range(60):
        served.failed(_ID, "answered 500")
    assert faults(served, [])[-1] == "… and 10 more errors"


def test_a_check_that_served_nobody_falls_short(live: LiveState) -> None:
    assert shortfalls(live, interrupted=False) == [
        f"nobody was served at {_ID}: give it more seconds, or look at its errors"
    ]


def test_a_check_that_was_interrupted_falls_short(served: LiveState) -> None:
    assert shortfalls(served, interrupted=True) == ["it was interrupted before its time was over"]


def test_best_sellers_alone_are_no_good_run(served: LiveState) -> None:
    served.scores["polar-scoop"] = ChainScore()
    assert shortfalls(served, interrupted=False) == [
        "no slate came from a model: only best-sellers were shown"
    ]
