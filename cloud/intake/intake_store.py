"""What this project asks of the bucket that pictures are uploaded to: no versions, and nothing long.

Synchronous: shells call it in threads. Every method may raise `cloud.objects.ports.ObjectsAway` (ask again)
or `StoreRefused` (bucket, credentials or rights are wrong).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from wire_protocol.errors import TopscoopError


class LongerThanAllowed(TopscoopError):
    """The object holds more bytes than were asked for; none of them is handed out."""


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the store says of an object.

    Attributes:
        size: Bytes.
        content_type: As it was put; empty where it was put without.
        age_ms: Since it was put, by the store's own clock, whole seconds on most; never negative.
    """

    size: int
    content_type: str
    age_ms: int


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing; `age_ms` as in `ObjectHead`."""

    key: str
    size: int
    age_ms: int


class IntakeStore(Protocol):
    """The bucket. The way in is a signed URL: no method puts anything."""

    def head(self, key: str) -> ObjectHead | None:
        """What lies under `key`; None where nothing does."""

    def get(self, key: str, most_bytes: int) -> bytes:
        """The whole object; raises `ObjectMissing`, and `LongerThanAllowed` without reading on."""

    def delete(self, key: str) -> None:
        """Delete the object for good; a missing one is no error."""

    def listed(self) -> Iterator[ListedObject]:
        """Every object that was there when the listing began, by key; page by page."""
