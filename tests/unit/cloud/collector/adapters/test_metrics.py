"""What is counted of each answer, and that each metric is documented."""

import logging
from pathlib import Path

import pytest

from cloud.collector.adapters.metrics import CollectorMetrics, TimedObjects
from cloud.collector.collect_loop import Collector
from cloud.collector.limits import Limits
from cloud.collector.values import Answered
from cloud.objects.ports import ObjectsAway, Version
from tests.builders.paper_collector import PaperCollector
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason

TOPIC = "topscoop/v1/acme/till-1/up/frame"


def value_of(metrics: CollectorMetrics, name: str, **labels: str) -> float:
    value = metrics.registry.get_sample_value(name, labels)
    assert value is not None, name
    return value


def test_each_verdict_has_its_counter() -> None:
    """Repeats are counted apart, so that stored and refused are numbers of messages."""
    metrics = CollectorMetrics()
    for verdict, reason, detail, repeated in (
        (Verdict.STORED, None, "", False),
        (Verdict.STORED, None, "", True),
        (Verdict.GONE, None, "", False),
        (Verdict.RETRY, None, "quota", False),
        (Verdict.REFUSED, Reason.TOO_OLD, "old", False),
        (None, Reason.MALFORMED, "not CBOR", False),
    ):
        metrics.answered(Answered(TOPIC, 10, bytes(16), verdict, 5, reason, detail, repeated, 1000))
    assert value_of(metrics, "topscoop_collector_stored_total", kind="frame") == 1
    assert value_of(metrics, "topscoop_collector_repeated_total") == 1
    assert value_of(metrics, "topscoop_collector_gone_total") == 1
    assert value_of(metrics, "topscoop_collector_retry_total", why="quota") == 1
    assert value_of(metrics, "topscoop_collector_refused_total", reason="too-old") == 1
    assert value_of(metrics, "topscoop_collector_refused_total", reason="malformed") == 1
    assert value_of(metrics, "topscoop_collector_unanswered_total") == 1
    assert value_of(metrics, "topscoop_collector_lag_seconds_count") == 1
    assert value_of(metrics, "topscoop_collector_receipt_seconds_count") == 6


def test_every_metric_is_documented() -> None:
    """By the name that Prometheus shows, without the library's suffixes."""
    metrics = CollectorMetrics()
    metrics.watch(PaperCollector().collector)
    page = (Path(__file__).parents[5] / "docs" / "collector.md").read_text("utf-8")
    names = {family.name for family in metrics.registry.collect() if family.name.startswith("topscoop_")}
    assert len(names) > 12
    assert [name for name in sorted(names) if f"`{name}" not in page] == []


def test_a_refusal_is_a_line_without_the_message(caplog: pytest.LogCaptureFixture) -> None:
    """Ids and reason; a topic cannot forge lines."""
    with caplog.at_level(logging.INFO):
        CollectorMetrics().answered(
            Answered("topscoop/v1/a\nb/up/frame", 9, None, None, 1, Reason.BAD_TOPIC, "no topic")
        )
    (record,) = caplog.records
    assert record.getMessage() == "message.refused"
    assert "\n" not in record.topscoop_fields["topic"]  # type: ignore[attr-defined]


def test_a_withdrawal_that_fails_is_an_error_whatever_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    """An alarm: somebody asked for an erasure and has not got it."""
    metrics = CollectorMetrics()
    metrics.failed("withdrawal.failed", TOPIC, ObjectsAway("away"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert value_of(metrics, "topscoop_collector_failures_total", event="withdrawal.failed") == 1


def test_what_the_world_does_needs_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    """An absent store is a line; a defect comes with its traceback."""
    metrics = CollectorMetrics()
    with caplog.at_level(logging.INFO):
        metrics.failed("object.put_failed", TOPIC, ObjectsAway("away"))
        metrics.failed("message.failed", TOPIC, ZeroDivisionError("boom"))
        metrics.swept(Version("frames/x", "v1", 1, 1))
    assert [bool(record.exc_info) for record in caplog.records] == [False, True, False]
    assert value_of(metrics, "topscoop_collector_failures_total", event="message.failed") == 1
    assert value_of(metrics, "topscoop_collector_failures_total", event="withdrawal.failed") == 0
    assert value_of(metrics, "topscoop_collector_swept_total") == 1


async def test_puts_are_timed_whatever_becomes_of_them() -> None:
    """Failed ones too: they are the slow ones."""
    paper, metrics = PaperCollector(), CollectorMetrics()
    timed = TimedObjects(paper.objects, metrics)
    version = await timed.put("frames/a", b"x", {"register": "till-1"}, {})
    paper.objects.away = True
    with pytest.raises(ObjectsAway):
        await timed.put("frames/a", b"x", {}, {})
    assert value_of(metrics, "topscoop_collector_put_seconds_count") == 2
    assert [one.version for one in await timed.versions("frames/")] == [version]
    assert await timed.metadata("frames/a", version) == {"register": "till-1"}
    assert await timed.folders("frames/") == []
    await timed.delete("frames/a", version)
    assert await timed.versions("frames/") == []


def test_what_is_in_flight_is_asked_when_scraped() -> None:
    """Not counted twice."""
    paper, metrics = PaperCollector(), CollectorMetrics()
    collector = Collector(paper.world, Limits())
    metrics.watch(collector)
    collector.in_flight.enter(100)
    assert value_of(metrics, "topscoop_collector_in_flight_messages") == 1
    assert value_of(metrics, "topscoop_collector_in_flight_bytes") == 100
