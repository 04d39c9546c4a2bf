"""Every metric, and that the documentation explains it."""

from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge_agent.adapters.metrics import FAST_BUCKETS_S, Metrics
from edge_agent.events import EventHub
from edge_agent.impression import Arm, Reason, Source
from tests.builders.records import impression
from tests.builders.register import Register
from tests.builders.tiny_model import build_model_dir

_DOCUMENT = Path(__file__).parents[4] / "docs" / "operations.md"


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(build_model_dir(tmp_path / "tiny", golden=False))


def scraped(metrics: Metrics) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def watched(register: Register) -> Metrics:
    metrics = Metrics()
    metrics.watch(register.agent.status, EventHub(first_id=1), lambda: 1.5)
    return metrics


def test_slates_are_counted_by_arm_source_and_reason() -> None:
    """A fallback is counted with its reason, a slate of the model without one."""
    metrics = Metrics()
    metrics.recommended(impression())
    metrics.recommended(
        impression(1, arm=Arm.MODEL, source=Source.BESTSELLERS, reason=Reason.NOBODY, inference_ms=None)
    )
    samples = scraped(metrics)
    assert samples["topscoop_recommendations_total"][("arm", "model"), ("source", "model")] == 1
    assert samples["topscoop_recommendations_total"][("arm", "model"), ("source", "bestsellers")] == 1
    assert samples["topscoop_fallbacks_total"][(("reason", "nobody"),)] == 1
    assert samples["topscoop_inference_seconds_count"][()] == 1
    assert samples["topscoop_recommendation_seconds_count"][()] == 2


def test_times_fall_into_buckets_below_a_millisecond() -> None:
    """0.2 ms of inference is told apart from 0.3."""
    metrics = Metrics()
    metrics.recommended(impression(inference_ms=0.25))
    buckets = scraped(metrics)["topscoop_inference_seconds_bucket"]
    assert buckets[(("le", "0.0002"),)] == 0
    assert buckets[(("le", "0.0003"),)] == 1
    assert FAST_BUCKETS_S[0] == 0.0001
    assert FAST_BUCKETS_S[-1] == 0.05


def test_every_series_exists_before_it_is_needed() -> None:
    """A rate over a counter that appears with its first event misses that event."""
    samples = scraped(Metrics())
    assert len(samples["topscoop_recommendations_total"]) == len(Arm) * len(Source)
    assert {labels[0][1] for labels in samples["topscoop_fallbacks_total"]} == {
        reason.value for reason in Reason
    }


def test_states_are_read_when_they_are_asked_for(register: Register) -> None:
    """Camera, model, menu and heartbeat of this moment."""
    samples = scraped(watched(register))
    assert samples["topscoop_camera_state"][(("state", "live"),)] == 1
    assert sum(samples["topscoop_camera_state"].values()) == 1
    ((model, _),) = samples["topscoop_model_info"].items()
    assert dict(model)["digest"] == register.slot.current.digest  # type: ignore[union-attr]
    assert samples["topscoop_menu_in_stock"][()] == 16
    assert samples["topscoop_heartbeat_age_seconds"][()] == 1.5
    assert samples["topscoop_journal_records"][(("kind", "impressions"),)] == 0


def test_without_model_there_is_no_model_info() -> None:
    """Absent, not empty."""
    assert "topscoop_model_info" not in scraped(watched(Register(None)))


def test_an_odd_method_makes_no_series_of_its_own() -> None:
    """A client cannot fill the memory with methods."""
    metrics = Metrics()
    metrics.answered("other", "BREW", 405, 0.001)
    assert (("method", "other"), ("route", "other"), ("status", "405")) in scraped(metrics)[
        "topscoop_http_requests_total"
    ]


def test_every_metric_is_explained(register: Register) -> None:
    """docs/operations.md names each."""
    metrics = watched(register)
    metrics.answered("/readyz", "GET", 200, 0.001)
    document = _DOCUMENT.read_text("utf-8")
    names = [
        family.name for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
    ]
    own = {name.removesuffix("_created") for name in names if name.startswith("topscoop_")}
    assert len(own) > 15
    assert [name for name in sorted(own) if f"`{name}" not in document] == []
