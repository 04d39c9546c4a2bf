"""The chains' models in memory: loaded once, bounded, the one that was used least recently goes first.

A chain's champion is looked up again every second, so that another one takes over without a restart. Loading
happens outside of all locks that others need: chains do not wait for each other.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from cloud.recommender.errors import UnusableModel
from cloud.recommender.values import Champion
from inference import FlavourModel

LOOK_EVERY_S: Final = 1.0
BROKEN_FOR_S: Final = 5.0
"""A network that did not load is not fetched again for each upload: other chains wait meanwhile (T27)."""
PER_MODEL_BYTES: Final = 2_000_000
"""What a session takes besides its weights: arena and buffers; measured with the models of this project."""
WEIGHTS_FACTOR: Final = 3
"""The network's bytes, the session's own copy, and what it packs anew for its kernels."""


def room_of(champion: Champion) -> int:
    """Bytes that a warm model is counted with."""
    return WEIGHTS_FACTOR * champion.size + PER_MODEL_BYTES


class _Warm:
    """One model; `lock` is held while it loads and while a thread uses it."""

    def __init__(self, champion: Champion) -> None:
        self.champion = champion
        self.lock = threading.Lock()
        self.model: FlavourModel | None = None
        self.broken = ""
        self.broken_until = 0.0


class WarmModels:
    """As `ports.Models`.

    Args:
        look_up: A chain's champion now; None where there is none. May raise `DatabaseAway`.
        load: Fetches, checks and loads; what it raises reaches whoever wanted to use the model.
        room_bytes: For all of them; the one in use stays, even where it is larger.
        monotonic: Seconds of a clock that never steps.
    """

    def __init__(
        self,
        look_up: Callable[[str], Champion | None],
        load: Callable[[Champion], FlavourModel],
        room_bytes: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._look_up = look_up
        self._load = load
        self._room = room_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._champions: dict[str, tuple[Champion | None, float]] = {}
        self._warm: OrderedDict[tuple[str, int, str], _Warm] = OrderedDict()

    def champion(self, tenant: str) -> Champion | None:
        """As the port says; what was looked up in the last second is not asked again."""
        now = self._monotonic()
        with self._lock:
            known = self._champions.get(tenant)
        if known is not None and now - known[1] < LOOK_EVERY_S:
            return known[0]
        found = self._look_up(tenant)
        with self._lock:
            self._champions[tenant] = (found, now)
        return found

    @contextmanager
    def use(self, champion: Champion) -> Iterator[FlavourModel]:
        """As the port says; threads that want the same model take turns, and only the first one loads it."""
        warm = self._place(champion)
        with warm.lock:
            if warm.model is None:
                warm.model = self._loaded(warm)
            yield warm.model

    def _loaded(self, warm: _Warm) -> FlavourModel:
        if warm.broken and self._monotonic() < warm.broken_until:
            raise UnusableModel(warm.broken)
        try:
            return self._load(warm.champion)
        except UnusableModel as error:
            warm.broken, warm.broken_until = str(error), self._monotonic() + BROKEN_FOR_S
            raise
        except BaseException:
            self._forget(warm)
            raise

    @property
    def count(self) -> int:
        """How many are warm, or being loaded."""
        with self._lock:
            return len(self._warm)

    @property
    def used_bytes(self) -> int:
        """What they are counted with."""
        with self._lock:
            return sum(room_of(one.champion) for one in self._warm.values())

    def _place(self, champion: Champion) -> _Warm:
        key = _key(champion)
        with self._lock:
            warm = self._warm.setdefault(key, _Warm(champion))
            self._warm.move_to_end(key)
            # A chain's former champion goes at once: nothing will ask for it.
            for other in [one for one in self._warm if one[0] == champion.tenant and one != key]:
                del self._warm[other]
            while (
                len(self._warm) > 1 and sum(room_of(one.champion) for one in self._warm.values()) > self._room
            ):
                self._warm.popitem(last=False)
            return warm

    def _forget(self, warm: _Warm) -> None:
        with self._lock:
            key = _key(warm.champion)
            if self._warm.get(key) is warm:
                del self._warm[key]


def _key(champion: Champion) -> tuple[str, int, str]:
    return champion.tenant, champion.release, champion.digest
