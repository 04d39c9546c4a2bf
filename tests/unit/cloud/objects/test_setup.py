"""The backstop of retention, as rules of the bucket."""

from cloud.config import S3Config
from cloud.objects.retention_class import BACKSTOP_DAYS, CLASSES, retention_class
from cloud.objects.setup import lifecycle_rules
from wire_protocol.limits import CONSENT_MAX_MS


def test_each_class_ends_after_its_days_current_or_not() -> None:
    """One age for both, later than the keeper's own erasing."""
    rules = {rule["ID"]: rule for rule in lifecycle_rules(S3Config())}
    for name, days in CLASSES.items():
        rule = rules[f"topscoop-{name}"]
        assert rule["Expiration"]["Days"] == days + BACKSTOP_DAYS
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == days + BACKSTOP_DAYS
        assert rule["Filter"]["And"]["Tags"] == [{"Key": "retention", "Value": name}]
        assert "Transitions" not in rule


def test_colder_storage_only_for_what_lives_longer() -> None:
    """A class that ends before it would move stays where it is."""
    config = S3Config(cold_storage_class="GLACIER_IR", cold_after_days=90)
    moving = [rule["ID"] for rule in lifecycle_rules(config) if "Transitions" in rule]
    assert moving == ["topscoop-d180", "topscoop-d365", "topscoop-d730", "topscoop-d1098"]


def test_no_class_is_shorter_than_what_it_is_for() -> None:
    """And the longest covers the longest consent."""
    for days in range(1, 1099):
        assert CLASSES[retention_class(days)] >= days
    assert CLASSES["d1098"] * 86_400_000 >= CONSENT_MAX_MS
