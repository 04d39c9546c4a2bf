"""Every chain in turn; one chain's trouble is not another's."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from cloud.errors import DatabaseAway
from cloud.releases import rows
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.loop import look_after_releases
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.database.engine import Database

TENANT = "gelateria-sole"


class _Watch:
    def __init__(self) -> None:
        self.looks: list[bool] = []
        self.changes: dict[str, int] = {"listed": 0, "withdrawn": 0}

    def looked(self, *, well: bool) -> None:
        self.looks.append(well)

    def changed(self, what: str, count: int) -> None:
        self.changes[what] += count


async def _rounds(database: Database, store: Path, watch: _Watch, count: int) -> None:
    """Let the loop go round so often."""
    looked = asyncio.Event()
    task = asyncio.create_task(
        look_after_releases(
            database, FolderFiles(store), every_s=0, clock=lambda: NOW_MS, watch=watch, looked=looked
        )
    )
    for _ in range(count):
        await asyncio.wait_for(looked.wait(), 20)
        looked.clear()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_each_chain_is_looked_at_and_trouble_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Chains without a root are passed over; a broken repository costs the others nothing."""
    caplog.set_level(logging.INFO)
    good = ReleaseRepository(tmp_path / "store", TENANT)
    good.add_release(1)
    broken = ReleaseRepository(tmp_path / "store", "broken")
    (broken.folder / "metadata" / "timestamp.json").write_bytes(b"junk")
    watch = _Watch()
    with sqlite_database(tmp_path) as database:
        add_tenants(database, "broken", TENANT, "without")
        for repository in (good, broken):
            trust_root(database, repository.chain, repository.first_root, NOW_MS, actor="operator:ada")
        asyncio.run(_rounds(database, tmp_path / "store", watch, 3))
        with database.tenant(TENANT, read_only=True) as connection:
            assert list(rows.listed(connection, TENANT)) == [1]
    assert watch.looks[:4] == [False, True, False, True]
    assert watch.changes == {"listed": 1, "withdrawn": 0}
    told = [record.getMessage() for record in caplog.records if record.name == "cloud.releases.loop"]
    assert told == ["releases.problem", "release.listed", "releases.verified"]


def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The loop goes on, and does its work when it is back."""
    repository = ReleaseRepository(tmp_path / "store", TENANT)
    repository.add_release(1)
    watch = _Watch()
    with sqlite_database(tmp_path) as database:
        add_tenants(database, TENANT)
        trust_root(database, TENANT, repository.first_root, NOW_MS, actor="operator:ada")
        real, asked = database.tenants, 0

        def tenants() -> list[str]:
            nonlocal asked
            asked += 1
            if asked <= 2:
                raise DatabaseAway("the database does not answer")
            return real()

        database.tenants = tenants  # type: ignore[method-assign] # away twice
        asyncio.run(_rounds(database, tmp_path / "store", watch, 3))
    assert watch.changes["listed"] == 1
