"""Which way the news of the database come to those who wait."""

from typing import NoReturn

from cloud.database.engine import Database
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.postgres_wakeups import wake_by_postgres
from cloud.public_api.adapters.sqlite_wakeups import wake_by_sqlite
from cloud.public_api.answers import Answers


async def wake(answers: Answers, database: Database, outage: DatabaseOutage) -> NoReturn:
    """Wake those who wait, until cancelled; a task of the public API's process."""
    by = wake_by_sqlite if database.is_sqlite else wake_by_postgres
    await by(answers, database, outage)
