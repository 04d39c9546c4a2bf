"""A look at all that clients wait for, every so often while anybody does."""

import asyncio
from collections.abc import Callable
from typing import Final, NoReturn

from cloud.database.engine import Database
from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.upload_states import states_of
from cloud.public_api.answers import Answers

AWAY_PAUSE_S: Final = 1.0


async def look(answers: Answers, database: Database) -> None:
    """Read once what everybody waits for, and wake those whom it is news to. Raises DatabaseAway."""
    waited_for = answers.waited_for()
    if waited_for:
        for upload, state in (await asyncio.to_thread(states_of, database, waited_for)).items():
            answers.tell(upload, state)


async def look_for_ever(
    answers: Answers, database: Database, every_s: Callable[[], float], outage: DatabaseOutage
) -> NoReturn:
    """Look every so often while anybody waits, and not at all while nobody does.

    Args:
        answers: Who waits.
        database: Where uploads are.
        every_s: Seconds until the next look; who begins to wait has looked for itself just now.
        outage: Is told when the database is away; those who wait go on waiting.
    """
    while True:
        await answers.until_waited_for()
        await asyncio.sleep(every_s())
        try:
            await look(answers, database)
        except DatabaseAway as error:
            outage.failed("answers", error)
            await asyncio.sleep(AWAY_PAUSE_S)
        else:
            outage.worked("answers")
