"""What was read a moment ago, kept for those who ask again: a page's pictures, a large page's live looks."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, TypeVar, cast

T = TypeVar("T")

_ENTRIES_MAX: Final = 64


class Recent:
    """A few values, each for a short time; may be used by several threads at once."""

    def __init__(self, entries_max: int = _ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._kept: OrderedDict[Hashable, tuple[int, object]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        now_ms: int,
        life_ms: Callable[[T], int],
        read: Callable[[], T],
        *,
        fresh: bool = False,
    ) -> T:
        """The value of `key`, read anew once it is as old as it may become.

        Args:
            key: Names kind and chain, too: what is kept under it is given to whoever asks for it.
            now_ms: Now.
            life_ms: How long a value is kept.
            read: Reads it.
            fresh: Read it anyway, and keep that.
        """
        with self._lock:
            found = self._kept.get(key)
        if found is not None and not fresh and found[0] <= now_ms < found[0] + life_ms(cast("T", found[1])):
            return cast("T", found[1])
        value = read()
        with self._lock:
            self._kept[key] = (now_ms, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._entries_max:
                self._kept.popitem(last=False)
        return value
