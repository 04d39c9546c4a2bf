"""An outage is told twice, when it begins and when it ends, however often it is met in between."""

import logging
import threading

from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)


class DatabaseOutage:
    """Logs `database.away` and `database.back`; any thread may call it.

    An outage is over when everything that met it works again: a database may serve some and refuse others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away: set[str] = set()

    def failed(self, where: str, error: TopscoopError) -> None:
        """`where` could not use the database."""
        with self._lock:
            begins = not self._away
            self._away.add(where)
        if begins:
            log.warning(
                "database.away", extra=fields(where=where, error=str(error)[:500], remedy=error.remedy)
            )

    def worked(self, where: str) -> None:
        """`where` could."""
        if not self._away:
            return
        with self._lock:
            ends = self._away == {where}
            self._away.discard(where)
        if ends:
            log.info("database.back", extra=fields(where=where))
