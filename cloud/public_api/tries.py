"""How often one source may begin a login or guess: counted by each process, in bounded memory."""

import hashlib
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cloud.public_api.problems import problem
from cloud.public_api.rates import MovingWindow


class Try(StrEnum):
    """What is counted."""

    LOGIN = "login"
    """Logins begun or finished from one address: each may cost us a request to the provider."""
    GRANT = "grant"
    """Devices that begin to wait, from one address: each costs a row."""
    CREDENTIALS = "credentials"
    """Wrong client credentials and device codes from one address."""
    USER_CODE = "user-code"
    """Wrong codes typed by one person (RFC 8628, 5.1)."""


PER_MINUTE: Final = {Try.LOGIN: 60, Try.GRANT: 30, Try.CREDENTIALS: 10, Try.USER_CODE: 5}


class Tries:
    """The counters; any thread may use them.

    Args:
        now_ms: The clock.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._windows = MovingWindow()

    def count(self, what: Try, tenant: str, source: str | bytes) -> None:
        """One more. Raises Problem `too-many-requests`."""
        with self._lock:
            allowance = self._windows.count(_key(what, tenant, source), PER_MINUTE[what], self._now_ms())
        _refuse(allowance.wait_ms)

    def look(self, what: Try, tenant: str, source: str | bytes) -> None:
        """Whether one more would be too many. Raises Problem `too-many-requests`."""
        with self._lock:
            allowance = self._windows.look(_key(what, tenant, source), PER_MINUTE[what], self._now_ms())
        _refuse(allowance.wait_ms)

    def wrong(self, what: Try, tenant: str, source: str | bytes) -> None:
        """A wrong one, after `look`; never refuses."""
        with self._lock:
            self._windows.count(_key(what, tenant, source), PER_MINUTE[what], self._now_ms())


def _refuse(wait_ms: int) -> None:
    if wait_ms:
        wait_s = max(1, -(-wait_ms // 1000))
        raise problem(
            "too-many-requests", "too many tries came from there", headers={"Retry-After": str(wait_s)}
        )


def _key(what: Try, tenant: str, source: str | bytes) -> bytes:
    raw = source.encode() if isinstance(source, str) else source
    return hashlib.blake2b(b"\0".join((what.encode(), tenant.encode(), raw)), digest_size=16).digest()
