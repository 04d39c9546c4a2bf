"""Files in memory, so that a thousand registers cost the store one read; bounded, least used first out.

A target's name holds its SHA-256, and only what has it is kept: as long as there is room. Metadata with its
version in the name is kept for a minute. What may change at any time (`timestamp.json`, and whether there is
a newer root) is kept for a moment.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud.releases.errors import FileMissing
from cloud.releases.paths import checked, digest_in, is_versioned
from cloud.releases.ports import Piece, ReleaseFiles

MOMENT_S: Final = 1.0
VERSIONED_S: Final = 60.0
_NAME_BYTES: Final = 512
"""What an entry takes besides its content."""
_LARGEST_SHARE: Final = 4
"""A file of more than this part of the room is passed through in pieces and not kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    content: bytes | None
    """None: it is missing."""
    until_s: float | None

    @property
    def size(self) -> int:
        return len(self.content or b"") + _NAME_BYTES


class CachedFiles:
    """A `ReleaseFiles` before another.

    Args:
        files: Where they come from.
        room_bytes: For all of them together.
        monotonic: Seconds of a clock that never steps.
    """

    def __init__(self, files: ReleaseFiles, room_bytes: int, monotonic: Callable[[], float]) -> None:
        self._files = files
        self._room = room_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._loading: dict[str, threading.Event] = {}
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        """As the port says."""
        place = checked(tenant, path)
        while True:
            found = self.remembered(tenant, path, offset, length)
            if found is not None:
                return found
            with self._lock:
                loading = self._loading.get(place)
                if loading is None:
                    mine = self._loading[place] = threading.Event()
                    self.misses += 1
                    break
            # Another thread reads it already; where that comes to nothing, we try ourselves.
            loading.wait()
        try:
            return self._load(tenant, path, place, offset, length)
        finally:
            with self._lock:
                del self._loading[place]
            mine.set()

    def remembered(self, tenant: str, path: str, offset: int, length: int) -> Piece | None:
        """A piece of what is in memory, without asking anybody; None where it is not.

        Raises:
            FileMissing: A moment ago there was no such file.
        """
        place = checked(tenant, path)
        with self._lock:
            kept = self._kept.get(place)
            if kept is not None and kept.until_s is not None and kept.until_s <= self._monotonic():
                self._forget(place)
                kept = None
            if kept is None:
                return None
            self._kept.move_to_end(place)
            self.hits += 1
        if kept.content is None:
            raise FileMissing(f"{path} is not there")
        return Piece(kept.content[offset : offset + length], len(kept.content))

    def _load(self, tenant: str, path: str, place: str, offset: int, length: int) -> Piece:
        largest = self._room // _LARGEST_SHARE - _NAME_BYTES
        try:
            found = self._files.get(tenant, path, offset, length)
        except FileMissing:
            self._keep(place, None, MOMENT_S)
            raise
        if found.total > largest:
            return found
        whole = found if len(found.data) == found.total else self._files.get(tenant, path, 0, found.total)
        if len(whole.data) != whole.total:
            return found  # it was exchanged between the two reads
        self._keep(place, whole.data, _how_long(path, whole.data))
        return Piece(whole.data[offset : offset + length], whole.total)

    def _keep(self, place: str, content: bytes | None, for_s: float | None) -> None:
        kept = _Kept(content, None if for_s is None else self._monotonic() + for_s)
        with self._lock:
            self._forget(place)
            self._kept[place] = kept
            self.used_bytes += kept.size
            while self.used_bytes > self._room:
                self._forget(next(iter(self._kept)))

    def _forget(self, place: str) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self.used_bytes -= kept.size


def _how_long(path: str, content: bytes) -> float | None:
    """For how many seconds a file may be kept; None: for as long as there is room."""
    digest = digest_in(path)
    if digest is not None and hashlib.sha256(content).hexdigest() == digest:
        return None
    return VERSIONED_S if is_versioned(path) else MOMENT_S
