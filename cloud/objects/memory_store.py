"""An object store in memory, for simulations and tests: it keeps versions, and protects nothing."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cloud.objects.ports import ObjectMissing, StoredObject, Version


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Version
    body: bytes
    metadata: Mapping[str, str]
    tags: Mapping[str, str]


class MemoryStore:
    """Versions in the order in which they were put.

    Args:
        now_ms: Milliseconds since 1970-01-01 UTC, for the time of a version.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._kept: dict[str, list[_Kept]] = {}
        self._numbers = itertools.count(1)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """As the port says."""
        version = Version(key, f"v{next(self._numbers)}", len(body), self._now_ms())
        self._kept.setdefault(key, []).append(_Kept(version, bytes(body), dict(metadata), dict(tags)))
        return version.version

    def versions(self, prefix: str) -> Iterator[Version]:
        """As the port says."""
        for key in sorted(self._kept):
            if key.startswith(prefix):
                yield from [kept.version for kept in reversed(self._kept[key])]

    def folders(self, prefix: str) -> Iterator[str]:
        """As the port says."""
        below = (key.removeprefix(prefix) for key in sorted(self._kept) if key.startswith(prefix))
        yield from dict.fromkeys(prefix + part.split("/")[0] + "/" for part in below if "/" in part)

    def metadata(self, key: str, version: str) -> Mapping[str, str]:
        """As the port says."""
        return self._find(key, version).metadata

    def tags(self, key: str, version: str) -> Mapping[str, str]:
        """What the version was tagged with."""
        return self._find(key, version).tags

    def get(self, key: str, version: str) -> StoredObject:
        """As the port says."""
        kept = self._find(key, version)
        return StoredObject(key, version, kept.body, kept.metadata)

    def delete(self, key: str, version: str) -> None:
        """As the port says."""
        left = [kept for kept in self._kept.get(key, []) if kept.version.version != version]
        if left:
            self._kept[key] = left
        else:
            self._kept.pop(key, None)

    def delete_markers(self, prefix: str) -> Iterator[Version]:
        """As the port says: nothing here leaves one."""
        del prefix
        return iter(())

    def _find(self, key: str, version: str) -> _Kept:
        for kept in self._kept.get(key, []):
            if kept.version.version == version:
                return kept
        raise ObjectMissing(f"no version {version} of {key}")
