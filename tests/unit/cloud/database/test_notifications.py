"""Wake-ups over PostgreSQL: heard after the commit alone, and again after the connection was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import pytest
from sqlalchemy import text

from cloud.database.engine import Database, open_database
from cloud.database.notifications import ANSWERS, JOBS, PAYLOAD_MAX_BYTES, listen, notify
from tests.builders.cloud_database import sqlite_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.postgres import PostgresDatabase

_BOUND_S = 30


class Ear:
    """Hears, and lets a test wait for what it heard; listens inside of an `async with` block."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._news: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def hears(self) -> None:
        self._news.put_nowait(("hears", ""))

    def deaf(self) -> None:
        self._news.put_nowait(("deaf", ""))

    def heard(self, channel: str, payload: str) -> None:
        self._news.put_nowait((channel, payload))

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(_BOUND_S):
            return await self._news.get()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(listen(self._url, (ANSWERS, JOBS), self))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._task


@pytest.fixture
def database(postgres_database: PostgresDatabase) -> Iterator[Database]:
    """Without tables: notifications need none."""
    with open_database(postgres_database.owner_url) as made:
        yield made


def _send(database: Database, channel: str, *payloads: str) -> None:
    with database.system() as connection:
        for payload in payloads:
            notify(connection, channel, payload)


def _send_and_fail(database: Database) -> None:
    with database.system() as connection:
        notify(connection, ANSWERS, "never")
        raise RuntimeError("rolled back")


@pytest.mark.service
def test_what_is_committed_is_heard_and_what_is_rolled_back_is_not(database: Database) -> None:
    """Each channel's notifications arrive in the order of their commits, the longest payload too."""
    longest = "x" * PAYLOAD_MAX_BYTES

    async def scenario() -> None:
        async with Ear(database) as ear:
            assert await ear.next() == ("hears", "")
            with pytest.raises(RuntimeError, match="rolled back"):
                _send_and_fail(database)
            await asyncio.to_thread(_send, database, ANSWERS, "one", longest)
            await asyncio.to_thread(_send, database, JOBS, "two")
            assert [await ear.next() for _ in range(3)] == [
                (ANSWERS, "one"),
                (ANSWERS, longest),
                (JOBS, "two"),
            ]

    asyncio.run(scenario())


@pytest.mark.service
def test_a_lost_connection_is_told_and_opened_again(database: Database) -> None:
    """The listener is deaf first and hears again after, so it knows when to look into the tables."""

    async def scenario() -> None:
        async with Ear(database) as ear:
            assert await ear.next() == ("hears", "")
            with database.system() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'topscoop-listen' AND datname = current_database()"
                    )
                )
            assert await ear.next() == ("deaf", "")
            assert await ear.next() == ("hears", "")
            await asyncio.to_thread(_send, database, ANSWERS, "after")
            assert await ear.next() == (ANSWERS, "after")

    asyncio.run(scenario())


def test_sqlite_has_no_notifications(tmp_path: Path) -> None:
    """The same call does nothing there: whoever waits polls."""
    with sqlite_database(tmp_path) as database:
        _send(database, ANSWERS, "nobody hears")
