"""What the keeper does for yeses from phones: it tells registers until a consent came, or the code is over.

What is taken back ends whenever its consent comes: `cloud.privacy.person_care`. Every step may be
repeated, by this keeper or another one, after dying anywhere in it.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from cloud.privacy.adapters.handover_rows import HandoverRows
from cloud.privacy.handover_values import REMEMBERED_MS, SEND_AGAIN_MS
from daemon.log_fields import fields
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.topics import Identity

log = logging.getLogger(__name__)

BATCH: Final = 200


class Sender(Protocol):
    """`cloud.privacy.downlink.Downlink`."""

    def send_handover(self, to: Identity, given: HandoverDown) -> None:
        """Send once, or lose it. Raises ServiceKeyMissing."""


class HandoverKeeper:
    """Yeses from phones, tenant by tenant.

    Args:
        rows: Of the database.
        downlink: To the registers.
        clock: Milliseconds since 1970.
    """

    def __init__(self, rows: HandoverRows, downlink: Sender, clock: Callable[[], int]) -> None:
        self._rows = rows
        self._downlink = downlink
        self._clock = clock

    def send(self, tenant: str) -> int:
        """Tell registers; how many messages.

        Raises:
            DatabaseAway, ServiceKeyMissing: It is done again.
        """
        now_ms = self._clock()
        sent_until_ms = now_ms - SEND_AGAIN_MS
        sent = 0
        for given in self._rows.pending(tenant, now_ms, sent_until_ms=sent_until_ms, limit=BATCH):
            # Marked before it goes: a crash between costs three seconds, never a second yes.
            if not self._rows.claim(tenant, given.handover, now_ms, sent_until_ms=sent_until_ms):
                continue
            message = HandoverDown(
                handover=given.handover,
                interaction=given.interaction,
                purposes=given.purposes,
                notice=given.notice,
                language=given.language,
                granted_at=given.granted_at_ms,
                expires_at=given.expires_at_ms,
            )
            self._downlink.send_handover(Identity(tenant, given.register), message)
            log.info("handover.sent", extra=fields(tenant=tenant, register=given.register))
            sent += 1
        return sent

    def forget(self, tenant: str) -> int:
        """Forget yeses that nothing can come of any more; how many. Raises DatabaseAway."""
        return self._rows.forget(tenant, self._clock() - REMEMBERED_MS, BATCH)
