"""A bucket with versions in memory, which forgets nothing that was not deleted."""

import itertools
from collections.abc import Iterator, Mapping

from cloud.objects.ports import ObjectMissing, StoredObject, Version


class MemoryObjects:
    """An `ObjectStore`."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], StoredObject] = {}
        self._number = itertools.count(1)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        version = f"v{next(self._number)}"
        self.held[key, version] = StoredObject(key, version, body, dict(metadata))
        return version

    def versions(self, prefix: str) -> Iterator[Version]:
        found = [one for (key, _), one in self.held.items() if key.startswith(prefix)]
        return iter([Version(one.key, one.version, len(one.body), 0) for one in found])

    def folders(self, prefix: str) -> Iterator[str]:
        return iter(
            sorted(
                {
                    key[len(prefix) :].split("/")[0] + "/"
                    for key, _ in self.held
                    if key.startswith(prefix) and "/" in key[len(prefix) :]
                }
            )
        )

    def metadata(self, key: str, version: str) -> Mapping[str, str]:
        return self.get(key, version).metadata

    def get(self, key: str, version: str) -> StoredObject:
        if (key, version) not in self.held:
            raise ObjectMissing(f"{key} has no version {version}")
        return self.held[key, version]

    def delete(self, key: str, version: str) -> None:
        self.held.pop((key, version), None)

    def delete_markers(self, prefix: str) -> Iterator[Version]:
        return iter(())
