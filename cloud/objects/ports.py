"""What the cloud asks of an object store that keeps versions.

Synchronous: administration, erasure and the commands call it, shells in threads. The collector's hot path has
a port of its own (`cloud.collector.ports.Objects`) that adapters of this package fill too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from wire_protocol.errors import OperatorError, TopscoopError

KEY_MAX_CHARS = 200
"""Of our own keys; S3 takes 1,024 bytes, the column of the database 200."""


class ObjectsAway(TopscoopError):
    """The store cannot be reached, is slow or answered that it has trouble: try again later.

    A put that raised this may have been carried out all the same.
    """


class ObjectMissing(TopscoopError):
    """No such version of no such object."""


class StoreRefused(OperatorError):
    """Bucket, credentials or settings of the store are wrong: trying again helps nothing."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, as a listing names it."""

    key: str
    version: str
    size: int
    stored_at_ms: int
    """By the store's clock, whole seconds on most."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version with all that was put."""

    key: str
    version: str
    body: bytes
    metadata: Mapping[str, str]


class ObjectStore(Protocol):
    """One bucket that keeps versions. Every method may raise `ObjectsAway` or `StoreRefused`."""

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Store a new version whole and return its id.

        The store confirmed what it holds: the digest that it answers is that of `body`, or `ObjectsAway` is
        raised. Names in `metadata` are lower case.
        """

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version of every object whose key begins with `prefix`; delete markers are left out.

        Ends with what is there now; order: by key, newest version first.
        """

    def folders(self, prefix: str) -> Iterator[str]:
        """The next parts of the keys below `prefix`, which ends in a slash; each ends in a slash too."""

    def metadata(self, key: str, version: str) -> Mapping[str, str]:
        """What was put with a version; raises `ObjectMissing`."""

    def get(self, key: str, version: str) -> StoredObject:
        """One version; raises `ObjectMissing`."""

    def delete(self, key: str, version: str) -> None:
        """Delete one version for good; a missing one is no error."""

    def delete_markers(self, prefix: str) -> Iterator[Version]:
        """Markers that a delete without a version id left; they are deleted like versions."""
