"""Takes events from a queue; a message is deleted when what it tells is durable, and not before."""

import asyncio
import logging
from typing import Final

from cloud.intake.arrivals import Source
from cloud.intake.event_queue import EventQueue, QueueMessage
from cloud.intake.events import GarbageEvent, parse
from cloud.intake.hearing import Hearing
from cloud.intake.webhook import Watch
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

PAUSE_S: Final = 2.0
"""After a failure; messages wait in the queue meanwhile."""


async def take_from_queue(
    queue: EventQueue, bucket: str, hearing: Hearing, watch: Watch, *, pause_s: float = PAUSE_S
) -> None:
    """Until cancelled."""
    while True:
        try:
            messages = await asyncio.to_thread(queue.receive)
            done = await asyncio.gather(*(_take(one, bucket, hearing, watch) for one in messages))
            handles = [one.handle for one, durable in zip(messages, done, strict=True) if durable]
            await asyncio.to_thread(queue.delete, handles)
        except TopscoopError as error:
            watch.failed(Source.SQS, error)
            await asyncio.sleep(pause_s)
            continue
        if all(done):
            watch.worked(Source.SQS)
        else:
            await asyncio.sleep(pause_s)


async def _take(message: QueueMessage, bucket: str, hearing: Hearing, watch: Watch) -> bool:
    """Whether the message is done with; garbage is, or it would come for ever."""
    try:
        heard = parse(message.body, bucket)
    except GarbageEvent as error:
        watch.garbage(Source.SQS)
        log.warning("event.garbage", extra=fields(source=Source.SQS.value, error=str(error)))
        return True
    watch.told(Source.SQS, heard)
    try:
        await hearing.heard(heard.places, Source.SQS)
    except TopscoopError as error:
        watch.failed(Source.SQS, error)
        return False
    return True
