"""Uploads of a day in blocks; over SQLite, the statements are the same on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud.database.engine import Database
from cloud.public_api.adapters.api_limits import read_usage
from cloud.public_api.day_quota import BLOCK_MAX, DayQuota
from tests.builders.cloud_database import sqlite_database

DAY, NEXT = "2026-11-22", "2026-11-23"
TENANT = "gelato"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite_database(tmp_path) as made:
        yield made


def _used(database: Database, day: str = DAY) -> tuple[int, int]:
    with database.tenant(TENANT, read_only=True) as connection:
        usage = read_usage(connection, TENANT, day)
    return usage.uploads, usage.bytes


def test_a_large_quota_is_taken_in_blocks(database: Database) -> None:
    """One statement for thirty-two; what is left over stands in no row once it is closed."""
    quota = DayQuota(database)
    assert all(quota.take(TENANT, DAY, 100, 100_000) for _ in range(BLOCK_MAX))
    assert _used(database) == (BLOCK_MAX, 0)
    assert quota.take(TENANT, DAY, 100, 100_000)
    assert _used(database) == (2 * BLOCK_MAX, 100 * BLOCK_MAX)
    quota.close()
    assert _used(database) == (BLOCK_MAX + 1, 100 * (BLOCK_MAX + 1))
    quota.close()
    assert _used(database) == (BLOCK_MAX + 1, 100 * (BLOCK_MAX + 1))


@pytest.mark.parametrize("per_day", [0, 1, 7, 2_500])
def test_two_processes_never_exceed_it(per_day: int, database: Database) -> None:
    """T27: whatever the blocks; what one holds and does not use, the other lacks until it is given back."""
    quotas = [DayQuota(database), DayQuota(database)]
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda n: quotas[n % 2].take(TENANT, DAY, 1, per_day), range(per_day + 20)))
    assert taken.count(True) == per_day
    for quota in quotas:
        quota.close()
    assert _used(database) == (per_day, per_day)


def test_what_did_not_come_to_be_is_given_back(database: Database) -> None:
    """And may be taken by another."""
    quota = DayQuota(database)
    assert quota.take(TENANT, DAY, 5, 1)
    assert not quota.take(TENANT, DAY, 5, 1)
    quota.give_back(TENANT, DAY, 5)
    assert quota.take(TENANT, DAY, 7, 1)
    quota.close()
    assert _used(database) == (1, 7)


def test_a_new_day_begins_with_a_full_quota(database: Database) -> None:
    """What was left of yesterday is settled; a late return of yesterday changes nothing."""
    quota = DayQuota(database)
    assert quota.take(TENANT, DAY, 1, 5_000)
    assert quota.take(TENANT, NEXT, 1, 5_000)
    assert _used(database) == (1, 1)
    quota.give_back(TENANT, DAY, 1)
    quota.close()
    assert _used(database, NEXT) == (1, 1)
