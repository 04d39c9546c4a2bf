"""PostgreSQL notifies those who wait; a look every second finds what a lost notification would have told."""

import asyncio
import logging
import re
from typing import Final, NoReturn

from cloud.database.engine import Database
from cloud.database.notifications import ANSWERS, listen
from cloud.intake.values import UploadState
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.looking import look_for_ever
from cloud.public_api.answers import Answers, Upload
from daemon.log_fields import fields
from wire_protocol.identifiers import is_name

EVERY_S: Final = 1.0
"""How late somebody is woken at most whose notification was lost."""
DEAF_S: Final = 0.1
"""How often is looked while no notification can be heard."""

_REQUEST: Final = re.compile(r"[0-9a-f]{32}")

log = logging.getLogger(__name__)


class _Ear:
    """Passes on what is heard.

    Attributes:
        hearing: Whether notifications come in.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.hearing = False

    def hears(self) -> None:
        self.hearing = True

    def deaf(self) -> None:
        self.hearing = False

    def heard(self, channel: str, payload: str) -> None:
        news = parse(payload)
        if news is None:
            log.warning("answers.unreadable", extra=fields(channel=channel, payload=payload[:80]))
        else:
            self._answers.tell(*news)


def parse(payload: str) -> tuple[Upload, UploadState | None] | None:
    """What a notification says: `{tenant}/{request in hex}`, or with `/{state}`; None for anything else."""
    tenant, _, rest = payload.partition("/")
    text, slash, state = rest.partition("/")
    if not is_name(tenant) or not _REQUEST.fullmatch(text):
        return None
    if slash and state not in set(UploadState):
        return None
    return (tenant, bytes.fromhex(text)), UploadState(state) if slash else None


async def wake_by_postgres(answers: Answers, database: Database, outage: DatabaseOutage) -> NoReturn:
    """Wake those who wait, until cancelled."""
    ear = _Ear(answers)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(database.url, (ANSWERS,), ear), name="answers-listen")
        tasks.create_task(
            look_for_ever(answers, database, lambda: EVERY_S if ear.hearing else DEAF_S, outage),
            name="answers-look",
        )
    raise AssertionError("both go on until they are cancelled")
