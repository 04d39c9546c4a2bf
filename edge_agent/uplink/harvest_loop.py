"""From the journal to the spool: what was shown and sold, once it is settled, a little at a time."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol

from daemon.log_fields import fields
from edge_agent.uplink.errors import SpoolError, SpoolFullError
from edge_agent.uplink.harvest import (
    CURSOR_NAMES,
    Cursors,
    JournalDamage,
    JournalImpression,
    JournalOutcome,
    interaction_payload,
    outcome_payload,
    settled,
)
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.packaging import Packager
from edge_agent.uplink.ports import Spool
from edge_agent.uplink.spooled import Outgoing, Write
from wire_protocol.errors import RefusedMessage, TopscoopError

log = logging.getLogger(__name__)

BATCH: Final = 32
"""Records per step, about 3 ms of work; between two steps everybody else has a turn."""
EVERY_S: Final = 1.0
BUSY_EVERY_S: Final = 0.1
"""While there is a backlog."""
AFTER_TROUBLE_S: Final = 30.0


class JournalUnreadableError(TopscoopError):
    """The journal cannot be read just now; its records wait there."""


class JournalReader(Protocol):
    """Reads the journal beside its writer; both raise JournalUnreadableError."""

    def impressions(self, after: int, limit: int) -> tuple[JournalImpression | JournalDamage, ...]:
        """The slates behind a row, in order; from the beginning when the journal itself began anew."""

    def outcomes(self, after: int, limit: int) -> tuple[JournalOutcome | JournalDamage, ...]:
        """The sales behind a row, as `impressions`."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What harvesting needs.

    Args:
        lifetime_ms: After so long an interaction is over.
        now_ms: The register's time.
    """

    journal: JournalReader
    spool: Spool
    packager: Packager
    lifetime_ms: int
    now_ms: Callable[[], int]

    def step(self) -> tuple[int, bool]:
        """Spool what is ready; how many messages, and whether there is probably more.

        Raises:
            JournalUnreadableError, SpoolError: Nothing was spooled; it waits in the journal.
        """
        cursors = Cursors.of({name: self.spool.setting(name) for name in CURSOR_NAMES})
        now_ms = self.now_ms()
        shown = self.journal.impressions(cursors.impressions, BATCH)
        # The journal began anew: its first slate may be open for long, and its rows grow past the old cursor.
        began_anew = bool(shown) and shown[0].row <= cursors.impressions
        ready = settled(shown, now_ms, self.lifetime_ms)
        sold = self.journal.outcomes(cursors.outcomes, BATCH)
        if not ready and not sold and not began_anew:
            return 0, False
        messages = [one for record in ready if (one := self._interaction(record, now_ms))]
        messages += [one for record in sold if (one := self._outcome(record, now_ms))]
        unread = 0 if began_anew else cursors.impressions
        after = Cursors(ready[-1].row if ready else unread, sold[-1].row if sold else cursors.outcomes)
        self.spool.write(Write(messages=tuple(messages), settings=after.as_settings()))
        return len(messages), BATCH in {len(ready), len(sold)}

    def _interaction(self, record: JournalImpression | JournalDamage, now_ms: int) -> Outgoing | None:
        if isinstance(record, JournalDamage):
            _skip(f"slate {record.row}", record.error)
            return None
        try:
            payload = interaction_payload(record, self.packager.store)
        except (RefusedMessage, ValueError) as error:
            _skip(str(record.impression.interaction_id), str(error))
            return None
        return self.packager.interaction(self.spool.next_sequence(), now_ms, payload)

    def _outcome(self, record: JournalOutcome | JournalDamage, now_ms: int) -> Outgoing | None:
        if isinstance(record, JournalDamage):
            _skip(f"sale {record.row}", record.error)
            return None
        try:
            payload = outcome_payload(record, self.packager.store)
        except (RefusedMessage, ValueError) as error:
            _skip(str(record.outcome_id), str(error))
            return None
        return self.packager.outcome(self.spool.next_sequence(), now_ms, payload)


async def harvest(work: Harvest, spooled: Callable[[Lane], None], executor: Executor) -> None:
    """Harvest until cancelled.

    Args:
        work: What to do.
        spooled: Told when something was spooled; on the loop's thread.
        executor: One thread that yields to requests.
    """
    loop = asyncio.get_running_loop()
    troubled = False
    while True:
        pause_s = EVERY_S
        try:
            count, more = await loop.run_in_executor(executor, work.step)
            if count:
                spooled(Lane.EVENTS)
            pause_s = BUSY_EVERY_S if more else EVERY_S
            troubled = False
        except (JournalUnreadableError, SpoolError) as error:
            if not troubled:
                full = isinstance(error, SpoolFullError)
                log.warning("harvest.waits", extra=fields(error=str(error), full=full, remedy=error.remedy))
            troubled = True
            pause_s = AFTER_TROUBLE_S
        await asyncio.sleep(pause_s)


def _skip(record: str, error: str) -> None:
    """Left in the journal for ever; sending it would only be refused, waiting for it would hold up others."""
    log.error("record.unsendable", extra=fields(record=record, error=error))
