"""Who waits for which upload, and how they are woken: each client by the news of its own upload alone.

A client enters its place first, looks into the database second and waits third. News that come between the
look and the wait are kept in the place, so none is lost. Whoever brings news (`wakeups`) reads what all wait
for in one statement; a client that was woken looks once.
"""

import asyncio
import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from cloud.intake.values import UploadState

ENDS: Final = frozenset({UploadState.DONE, UploadState.FAILED, UploadState.EXPIRED, UploadState.ERASED})
ALL: Final = frozenset(UploadState)
WAITING_MAX: Final = 4096
"""In one process, streams included; a place costs about 3 KB with its request."""
WAITING_OF_ONE_MAX: Final = 256
"""Of one person or machine: a partner's server asks for many customers at once."""
STREAMS_MAX: Final = 1024
STREAMS_OF_ONE_MAX: Final = 16
EXPORTS_MAX: Final = 8
EXPORTS_OF_ONE_MAX: Final = 1
"""At once: an export may be long, and is written after its request has left its place."""

Upload = tuple[str, bytes]
"""Tenant and request."""
Person = tuple[str, bytes]
"""Tenant and user."""


class Places:
    """How many of something there are, in all and of each person; any thread may call it.

    Args:
        of_all: How many there may be.
        of_one: How many of one person.
    """

    def __init__(self, of_all: int, of_one: int) -> None:
        self._lock = threading.Lock()
        self._of_all, self._of_one = of_all, of_one
        self._taken: Counter[Person] = Counter()
        self._total = 0

    def free(self, person: Person) -> bool:
        """Whether there is one for this person now."""
        return self._total < self._of_all and self._taken.get(person, 0) < self._of_one

    def take(self, person: Person) -> bool:
        """Take one; False where there is none left, and nothing is to be given back."""
        with self._lock:
            if not self.free(person):
                return False
            self._taken[person] += 1
            self._total += 1
            return True

    def give_back(self, person: Person) -> None:
        """Give one back that was taken."""
        with self._lock:
            self._total -= 1
            self._taken[person] -= 1
            if not self._taken[person]:
                del self._taken[person]

    def __len__(self) -> int:
        return self._total


class Watch:
    """One client's place; of the event loop that made it, but `tell` may be called by any thread.

    Args:
        upload: What it waits for.
        wanted: States that are news to this client.
    """

    def __init__(self, upload: Upload, wanted: Collection[UploadState]) -> None:
        self.upload = upload
        self._wanted = wanted
        self._known: UploadState | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def knows(self, state: UploadState) -> None:
        """The client has seen this state: it is no news any more."""
        self._known = state

    def tell(self, state: UploadState | None) -> None:
        """The upload is in this state; None: there is something new, or the upload is gone."""
        if state is None or (state in self._wanted and state != self._known):
            # A loop that has ended meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._news.set)

    async def news(self, timeout_s: float) -> bool:
        """Wait for news since the last call; False when the time is over. Look after it, never before."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Answers:
    """All who wait in this process; any thread may call it.

    Attributes:
        answered: Is called with the milliseconds from a picture's arrival to the answer of who waited for it.
    """

    def __init__(self, answered: Callable[[float], None] = lambda _: None) -> None:
        self.answered = answered
        self.waits = Places(WAITING_MAX, WAITING_OF_ONE_MAX)
        self.streams = Places(STREAMS_MAX, STREAMS_OF_ONE_MAX)
        self._lock = threading.Lock()
        self._watches: dict[Upload, set[Watch]] = {}
        self._idle: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the process ends: nobody begins to wait any more."""
        return self._stopping

    @contextlib.contextmanager
    def watch(self, upload: Upload, wanted: Collection[UploadState]) -> Iterator[Watch]:
        """A place for the `with` block; it is free again however the block ends."""
        made = Watch(upload, wanted)
        with self._lock:
            self._watches.setdefault(upload, set()).add(made)
            idle = list(self._idle)
        for loop, event in idle:
            loop.call_soon_threadsafe(event.set)
        if self._stopping:
            made.tell(None)
        try:
            yield made
        finally:
            with self._lock:
                others = self._watches[upload]
                others.discard(made)
                if not others:
                    del self._watches[upload]

    def tell(self, upload: Upload, state: UploadState | None = None) -> None:
        """Wake those who wait for this upload, and whom this state is news to; None: all of them."""
        with self._lock:
            found = list(self._watches.get(upload, ()))
        for one in found:
            one.tell(state)

    def waited_for(self) -> Mapping[str, list[bytes]]:
        """The requests that anybody waits for, by tenant."""
        found: defaultdict[str, list[bytes]] = defaultdict(list)
        with self._lock:
            for tenant, request in self._watches:
                found[tenant].append(request)
        return found

    async def until_waited_for(self) -> None:
        """Return as soon as anybody waits for anything."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._watches:
                return
            self._idle.add(entry)
        try:
            await entry[1].wait()
        finally:
            with self._lock:
                self._idle.discard(entry)

    def stop(self) -> None:
        """Let everybody look once more and go: the process ends."""
        self._stopping = True
        with self._lock:
            found = [one for those in self._watches.values() for one in those]
        for one in found:
            one.tell(None)
