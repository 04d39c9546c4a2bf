"""What is counted of the console."""

from pathlib import Path

from starlette.testclient import TestClient

from cloud.console.metrics import ConsoleMetrics
from tests.builders.console_stage import build_stage

_DOCUMENT = (Path(__file__).parents[4] / "docs" / "console.md").read_text("utf-8")


def test_answers_are_counted_by_route_not_by_address(tmp_path: Path) -> None:
    """A scanner cannot fill Prometheus with addresses."""
    stage, metrics = build_stage(tmp_path), ConsoleMetrics()
    client = TestClient(
        metrics.watched(stage.app, lambda: 0.0), base_url=stage.desk.origin, follow_redirects=False
    )
    for path in ("/fleet/a", "/fleet/b", "/nothing/1", "/nothing/2"):
        client.get(path)

    def value(route: str, status: str) -> float | None:
        return metrics.registry.get_sample_value(
            "topscoop_console_answers_total", {"route": route, "status": status}
        )

    assert (value("/fleet/{register}", "401") or 0) + (value("/fleet/{register}", "303") or 0) == 2
    assert value("none", "404") == 2


def test_every_metric_is_documented() -> None:
    names = [family.name for family in ConsoleMetrics().registry.collect()]
    assert names
    assert [name for name in names if name not in _DOCUMENT] == []
