"""The certificate's life: renewed at two thirds, alarms before the end, and no harm to the till after it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from daemon.log_fields import fields
from edge_agent.uplink.certificate_life import CertificateLife, Life
from wire_protocol.errors import OperatorError

log = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 3600.0


class Certificate:
    """The register's certificate and what is to be done about it.

    Args:
        life: Of the present one.
        renew: Asks for the next and puts it in place; raises OperatorError. Called off the loop.
        reconnect: Uses the new one.
        now_ms: The register's time.
    """

    def __init__(
        self,
        life: CertificateLife,
        renew: Callable[[], CertificateLife],
        reconnect: Callable[[], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.life = life
        self._renew = renew
        self._reconnect = reconnect
        self._now_ms = now_ms
        self._told: int | None = None

    async def run(self) -> None:
        """Look every hour until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(CHECK_EVERY_S)

    async def look(self) -> None:
        """Renew if it is due, and raise the alarm that is due."""
        if self.life.state(self._now_ms()) is Life.DUE:
            try:
                self.life = await asyncio.to_thread(self._renew)
                log.info("certificate.renewed", extra=fields(days=round(self.life.days_left(self._now_ms()))))
                self._reconnect()
            except OperatorError as error:
                log.warning("certificate.not_renewed", extra=fields(error=str(error), remedy=error.remedy))
        self._alarm()

    def _alarm(self) -> None:
        """Each level once, and again after a restart."""
        alarm = self.life.alarm(self._now_ms())
        if alarm is not None and (self._told is None or alarm < self._told):
            if alarm == 0:
                log.error(
                    "certificate.expired",
                    extra=fields(
                        remedy="Enrol again with a new code: `topscoop edge enrol --again`. "
                        "Recommendations go on; what was recorded waits."
                    ),
                )
            else:
                log.error(
                    "certificate.ends",
                    extra=fields(
                        days=round(self.life.days_left(self._now_ms()), 1),
                        remedy="It could not be renewed: check the way to the enrolment server.",
                    ),
                )
        self._told = alarm
