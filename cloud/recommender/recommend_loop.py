"""The recommender's threads: each takes batch after batch, and sleeps while there are none."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from cloud.database.notifications import JOBS
from cloud.errors import DatabaseAway
from cloud.jobs.values import Queue
from cloud.outage_log import DatabaseOutage
from cloud.recommender.recommender import Recommender

log = logging.getLogger(__name__)

HEARING_S: Final = 1.0
"""Back-offs and lost leases end without a word: how late that is noticed while notifications come in."""
DEAF_S: Final = 0.1
"""Without notifications that should come in."""
POLLING_S: Final = 0.025
"""SQLite has no notifications."""
AWAY_S: Final = 1.0


class Bell:
    """Wakes a sleeping worker; rung while all are busy, it wakes the next that would sleep. A `Listener` too.

    Args:
        polling: There are no notifications: look every `POLLING_S`.
    """

    def __init__(self, *, polling: bool) -> None:
        self._rung = threading.Event()
        self._pause_s = POLLING_S if polling else DEAF_S

    def ring(self) -> None:
        """Something is there, or may be; any thread may call it."""
        self._rung.set()

    def wait(self, at_most_s: float | None = None) -> None:
        """Sleep until it was rung since the last wait, or a look is due."""
        self._rung.wait(self._pause_s if at_most_s is None else at_most_s)
        self._rung.clear()

    def hears(self) -> None:
        """As `Listener` says."""
        self._pause_s = HEARING_S
        self.ring()

    def deaf(self) -> None:
        """As `Listener` says."""
        self._pause_s = DEAF_S

    def heard(self, channel: str, payload: str) -> None:
        """As `Listener` says."""
        if channel == JOBS and payload == Queue.RECOMMEND.value:
            self.ring()


class Workers:
    """A thread for each recommender, from `start` to `stop`: while one decodes, another reads and writes.

    Args:
        recommenders: Do the batches.
        bell: Wakes them.
        outage: Is told of a database that is away.
        batch_max: A full batch means that there is more: another worker is woken.
    """

    def __init__(
        self, recommenders: Sequence[Recommender], bell: Bell, outage: DatabaseOutage, *, batch_max: int
    ) -> None:
        self._bell = bell
        self._outage = outage
        self._batch_max = batch_max
        self._stopping = threading.Event()
        self._failed: Callable[[BaseException], None] = lambda _: None
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"recommend-{number}")
            for number, one in enumerate(recommenders)
        ]

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Begin.

        Args:
            failed: Told of a defect that ended a worker; the process is to end too.
        """
        self._failed = failed
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the uploads in work; what was leased and not begun is given back."""
        self._stopping.set()
        for _ in self._threads:
            self._bell.ring()
        for thread in self._threads:
            thread.join()

    def _work(self, recommender: Recommender) -> None:
        try:
            while not self._stopping.is_set():
                self._turn(recommender)
        except BaseException as error:  # noqa: BLE001 - told to the process, which ends
            self._failed(error)

    def _turn(self, recommender: Recommender) -> None:
        try:
            count = recommender.serve(self._stopping.is_set)
        except DatabaseAway as error:
            self._outage.failed("recommender", error)
            self._stopping.wait(AWAY_S)
            return
        self._outage.worked("recommender")
        if count >= self._batch_max:
            self._bell.ring()
        if not count:
            self._bell.wait()
