"""Metrics of releases."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from edge_agent.adapters.updates.metrics import UpdateMetrics
from tests.builders.update_register import PaperUpdates


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[PaperUpdates]:
    paper = PaperUpdates(tmp_path)
    yield paper
    paper.close()


def scraped(paper: PaperUpdates) -> tuple[UpdateMetrics, str]:
    courier = SimpleNamespace(fetched_bytes=1234, requests=5)
    service: Any = SimpleNamespace(courier=courier, updates=paper.updates)
    metrics = UpdateMetrics(service)
    registry = CollectorRegistry()
    registry.register(metrics)
    return metrics, generate_latest(registry).decode()


async def test_the_metrics_tell_release_state_and_progress(paper: PaperUpdates) -> None:
    """Of a release on trial, with a floor."""
    paper.publish(3)
    paper.floor = 2
    await paper.bring(3)
    paper.customer(1)
    paper.register.clock.advance(500)
    _, text = scraped(paper)
    assert "topscoop_model_release 3.0" in text
    assert "topscoop_model_floor 2.0" in text
    assert 'topscoop_model_update_state{state="trial"} 1.0' in text
    assert "topscoop_model_fetched_bytes_total 1234.0" in text
    assert "topscoop_model_errands_total 1.0" in text
    assert "topscoop_model_trial_progress 0.33" in text


async def test_every_metric_is_documented(paper: PaperUpdates) -> None:
    """docs/operations.md names each, the shadow's too."""
    paper.publish(1)
    await paper.bring(1)
    metrics, _ = scraped(paper)
    page = (Path(__file__).parents[5] / "docs" / "operations.md").read_text("utf-8")
    names = [family.name for family in metrics.collect()]
    assert len(names) > 8
    assert [name for name in names if name not in page] == []
