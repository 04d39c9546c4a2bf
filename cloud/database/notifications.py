"""Wake-ups between processes over PostgreSQL: `notify` in a transaction, `listen` on a connection of its own.

A notification is a hint and never the truth: one that was sent while a listener was away is lost. So whoever
listens looks into the tables again each time it is told that it hears, and every now and then besides.
SQLite has none: there, whoever waits polls.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from daemon.log_fields import fields

ANSWERS: Final = "topscoop_answers"
"""A recommendation is there, or there will be none: `{tenant}/{request as 32 hex digits}`."""
JOBS: Final = "topscoop_jobs"
"""A job waits: what stands in it is the queue's business."""
PAYLOAD_MAX_BYTES: Final = 7999
"""PostgreSQL refuses longer ones."""
_CHECK_S: Final = 10.0
"""A connection that nobody answers on is found within this and `_TIMEOUT_S`."""
_TIMEOUT_S: Final = 5.0
_BACK_OFF_S: Final = (0.1, 5.0)

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told; every method runs on the loop, and blocks it for nobody."""

    def hears(self) -> None:
        """From now on everything is heard; what was sent before may be lost: look into the tables."""

    def deaf(self) -> None:
        """The connection is lost: nothing is heard until `hears`."""

    def heard(self, channel: str, payload: str) -> None:
        """One notification."""


def notify(connection: Connection, channel: str, payload: str) -> None:
    """Wake the listeners of `channel` when this transaction commits; does nothing on SQLite.

    Args:
        connection: Inside of a transaction; a rolled back one wakes nobody.
        channel: `ANSWERS` or `JOBS`.
        payload: At most `PAYLOAD_MAX_BYTES`; the same one twice in a transaction arrives once.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
        )


def notify_all(connection: Connection, channel: str, payloads: Sequence[str]) -> None:
    """As `notify`, for many payloads in one statement."""
    if connection.dialect.name == "postgresql" and payloads:
        connection.execute(
            text("SELECT pg_notify(:channel, payload) FROM unnest(CAST(:payloads AS text[])) AS payload"),
            {"channel": channel, "payloads": list(payloads)},
        )


async def listen(url: URL, channels: Sequence[str], listener: Listener) -> NoReturn:
    """Hear what is sent on `channels`, until cancelled; a lost connection is opened again.

    Args:
        url: Of a PostgreSQL database, with SQLAlchemy's driver `postgresql+psycopg`; straight to the server
            or a pooler in session mode: one in transaction mode hands notifications to nobody.
        channels: Which.
        listener: Is told what is heard, and when nothing can be.
    """
    low, high = _BACK_OFF_S
    pause_s, told = low, False
    while True:
        try:
            connection = await _connect(url)
            try:
                for channel in channels:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                log.info("notifications.heard", extra=fields(channels=list(channels)))
                listener.hears()
                pause_s, told = low, False
                await _hear(connection, listener)
            finally:
                listener.deaf()
                await connection.close()
        except (psycopg.Error, TimeoutError, OSError) as error:
            if not told:
                words = str(error).strip() or type(error).__name__
                log.warning("notifications.lost", extra=fields(channels=list(channels), error=words[:500]))
            told = True
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - keeps processes apart
        pause_s = min(pause_s * 2, high)


async def _connect(url: URL) -> psycopg.AsyncConnection[tuple[object, ...]]:
    positional, named = url.get_dialect()().create_connect_args(url)
    async with asyncio.timeout(2 * _TIMEOUT_S):
        return await psycopg.AsyncConnection.connect(
            *positional,
            **{"connect_timeout": int(_TIMEOUT_S), "application_name": "topscoop-listen", **named},
            autocommit=True,
        )


async def _hear(connection: psycopg.AsyncConnection[tuple[object, ...]], listener: Listener) -> NoReturn:
    while True:
        async with contextlib.aclosing(connection.notifies(timeout=_CHECK_S)) as notifications:
            async for one in notifications:
                listener.heard(one.channel, one.payload)
        # A server that vanished without a word keeps the connection open for hours: ask whether it is there.
        async with asyncio.timeout(_TIMEOUT_S):
            await connection.execute("SELECT 1")
