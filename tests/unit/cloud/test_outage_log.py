"""An outage of the database in the log: its beginning and its end."""

import logging

import pytest

from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_told_once_when_it_begins_and_once_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    """However many transactions meet it."""
    caplog.set_level(logging.INFO)
    outage = DatabaseOutage()
    outage.worked("rows")
    for _ in range(5):
        outage.failed("rows", DatabaseAway("gone"))
    outage.worked("rows")
    outage.worked("rows")
    outage.failed("rows", DatabaseAway("gone again"))
    assert events(caplog) == ["database.away", "database.back", "database.away"]


def test_it_lasts_until_all_that_met_it_works(caplog: pytest.LogCaptureFixture) -> None:
    """A database that lists and does not write is away, not back and away again at every look."""
    caplog.set_level(logging.INFO)
    outage = DatabaseOutage()
    outage.failed("rows", DatabaseAway("read-only"))
    outage.failed("health", DatabaseAway("no answer"))
    outage.worked("health")
    assert events(caplog) == ["database.away"]
    outage.worked("rows")
    assert events(caplog) == ["database.away", "database.back"]
