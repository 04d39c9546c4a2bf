"""An `ObjectStore` as the collector asks it: in coroutines, one thread a request."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from cloud.objects.ports import ObjectMissing, ObjectStore, Version

Call = Callable[..., Awaitable[Any]]


class InThreads:
    """Fills `cloud.collector.ports.Objects`.

    Args:
        store: What answers.
        call: How it is called; `at_once` where a simulation holds the time.
    """

    def __init__(self, store: ObjectStore, call: Call = asyncio.to_thread) -> None:
        self._store = store
        self._call = call

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """As the port says."""
        version: str = await self._call(self._store.put, key, body, metadata, tags)
        return version

    async def versions(self, prefix: str) -> Sequence[Version]:
        """As the port says."""
        found: list[Version] = await self._call(lambda: list(self._store.versions(prefix)))
        return found

    async def folders(self, prefix: str) -> Sequence[str]:
        """As the port says."""
        found: list[str] = await self._call(lambda: list(self._store.folders(prefix)))
        return found

    async def metadata(self, key: str, version: str) -> Mapping[str, str] | None:
        """As the port says."""
        try:
            found: Mapping[str, str] = await self._call(self._store.metadata, key, version)
        except ObjectMissing:
            return None
        return found

    async def delete(self, key: str, version: str) -> None:
        """As the port says."""
        await self._call(self._store.delete, key, version)


async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    """Call without a thread: for stores that do not wait."""
    return work(*arguments)
