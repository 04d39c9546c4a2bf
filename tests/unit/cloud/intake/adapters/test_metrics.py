"""What intake shows, and that its page explains it."""

import logging
import re
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from cloud.errors import DatabaseAway
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.arrivals import Arrived, Source
from cloud.intake.events import Heard
from cloud.intake.look import Looked
from cloud.intake.looking import Step
from cloud.objects.ports import ObjectsAway, StoreRefused

_ROOT = Path(__file__).parents[5]


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_every_metric_stands_in_the_docs() -> None:
    page = (_ROOT / "docs" / "intake.md").read_text("utf-8")
    names = [family.name for family in IntakeWatch().registry.collect()]
    assert names
    assert [name for name in names if not re.search(rf"`{name}`", page)] == []


def test_arrivals_and_deletions_are_counted() -> None:
    """By who told and what came of it; what was deleted unread, by reason (T21)."""
    watch = IntakeWatch()
    for arrived in Arrived:
        watch.heard(Source.SQS, arrived)
    watch.looked(Looked(7, 90_500, Counter({Step.GIVE_UP: 2, Step.DELETE: 3}), 4, ()))
    assert value(watch.registry, "topscoop_intake_arrivals_total", source="sqs", result="known") == 1
    deleted = {
        reason: value(watch.registry, "topscoop_intake_deleted_total", reason=reason)
        for reason in ("refused", "late", "unwanted", "overdue", "leftover")
    }
    assert deleted == {"refused": 1, "late": 1, "unwanted": 1, "overdue": 2, "leftover": 3}
    assert value(watch.registry, "topscoop_intake_oldest_seconds") == 90.5
    assert value(watch.registry, "topscoop_intake_objects") == 7
    assert value(watch.registry, "topscoop_intake_expired_total") == 4


def test_messages_are_counted_by_kind() -> None:
    watch = IntakeWatch()
    watch.told(Source.WEBHOOK, Heard((), 1))
    watch.garbage(Source.WEBHOOK)
    watch.stranger()
    watch.forgot(9)
    kinds = {
        kind: value(watch.registry, "topscoop_intake_messages_total", source="webhook", kind=kind)
        for kind in ("garbage", "nothing-of-ours")
    }
    assert kinds == {"garbage": 1, "nothing-of-ours": 1}
    assert value(watch.registry, "topscoop_intake_strangers_total") == 1
    assert value(watch.registry, "topscoop_intake_forgotten_total") == 9


def test_a_look_that_fails_is_no_health() -> None:
    """Nobody would see that pictures stay: the service is not ready until a whole look went well (T26)."""
    watch = IntakeWatch()
    assert not watch.health.ready()
    watch.looked(Looked(0, 0, Counter(), 0, ()))
    assert watch.health.ready()
    watch.looked(Looked(1, 0, Counter(), 0, (ObjectsAway("away"),)))
    assert not watch.health.ready()
    watch.looked(Looked(0, 0, Counter(), 0, ()))
    watch.look_failed(DatabaseAway("away"))
    assert not watch.health.ready()


def test_a_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """When it begins, when it becomes another, when it ends."""
    caplog.set_level(logging.INFO)
    watch = IntakeWatch()
    for _ in range(3):
        watch.failed(Source.SQS, ObjectsAway("away"))
    watch.failed(Source.SQS, StoreRefused("wrong", remedy="mend it"))
    watch.worked(Source.SQS)
    watch.worked(Source.SQS)
    watch.forget_failed(DatabaseAway("away"))
    watch.forgot(0)
    assert [record.message for record in caplog.records] == [
        "intake.waiting",
        "intake.waiting",
        "intake.resumed",
        "database.away",
        "database.back",
    ]
    assert [record.levelname for record in caplog.records[:2]] == ["WARNING", "ERROR"]
    assert value(watch.registry, "topscoop_intake_failures_total", what="sqs") == 4
