"""SQLite tells nobody what another process wrote: what clients wait for is looked at every 25 ms."""

from typing import Final, NoReturn

from cloud.database.engine import Database
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.looking import look_for_ever
from cloud.public_api.answers import Answers

EVERY_S: Final = 0.025


async def wake_by_sqlite(answers: Answers, database: Database, outage: DatabaseOutage) -> NoReturn:
    """Wake those who wait, until cancelled."""
    await look_for_ever(answers, database, lambda: EVERY_S, outage)
