"""A provider's document, asked for by one at a time, and kept while the provider is away."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from cloud.identity.errors import LoginFailed, ProviderAway
from daemon.log_fields import fields

log = logging.getLogger(__name__)

T = TypeVar("T")

FRESH_S: Final = 600.0
"""So long it is used without asking: what a provider took back is gone from here after that."""
AGAIN_S: Final = 60.0
"""Who needs a newer one makes us ask, no more often than this."""
AWAY_S: Final = 2.0
"""For so long a provider that did not answer at all is not asked again."""
STALE_S: Final = 86_400.0
"""So long an old one serves while the provider is away."""
PATIENCE_S: Final = 2.0
"""So long one waits for somebody else's question where no document is there yet; with an old one, not at all:
everybody who waits holds a thread, and a provider may be silent for as long as it is given."""


class Kept(Generic[T]):
    """One document; may be used by several threads at once.

    Args:
        read: Asks for it; raises ProviderAway or LoginFailed.
        monotonic: Seconds of a clock that never steps.
        patience_s: As `PATIENCE_S`.
    """

    def __init__(
        self, read: Callable[[], T], monotonic: Callable[[], float], patience_s: float = PATIENCE_S
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._state: tuple[T, float] | None = None
        self._tried_at = self._away_until = float("-inf")

    @property
    def value(self) -> T | None:
        """What is there, however old; asks nobody."""
        return None if self._state is None else self._state[0]

    def get(self) -> T:
        """The document. Raises ProviderAway, LoginFailed."""
        state = self._state
        if state is not None and self._monotonic() - state[1] < FRESH_S:
            return state[0]
        return self._renewed(state)

    def newer(self) -> T:
        """The same after asking for it again, where that was not done lately. Raises as `get`."""
        state = self._state
        if state is not None and self._monotonic() - self._tried_at < AGAIN_S:
            return state[0]
        return self._renewed(state)

    def _renewed(self, seen: tuple[T, float] | None) -> T:
        # Anybody may begin a login or send a token: one thread asks. Who has an old document does not wait,
        # and who has none hears at once when the provider was just found to be away.
        if not self._lock.acquire(timeout=self._patience_s if seen is None else 0):
            return self._old(seen, self._monotonic(), away())
        try:
            if self._state is not None and self._state is not seen:
                return self._state[0]
            now = self._monotonic()
            if now < self._away_until:
                return self._old(seen, now, away())
            self._tried_at = now
            try:
                value = self._read()
            except (ProviderAway, LoginFailed) as error:
                self._away_until = self._monotonic() + AWAY_S
                log.warning("identity.provider_away", extra=fields(error=str(error)))
                return self._old(seen, now, error)
            self._state = value, self._monotonic()
            return value
        finally:
            self._lock.release()

    def _old(self, seen: tuple[T, float] | None, now: float, error: ProviderAway | LoginFailed) -> T:
        if seen is None or now - seen[1] > STALE_S:
            raise error
        return seen[0]


def away() -> ProviderAway:
    """What is raised while a provider does not answer."""
    return ProviderAway("the identity provider does not answer", remedy="Try again in a minute.")
