"""Where a chain's release repository lies."""

from __future__ import annotations

from typing import Protocol

FILE_MAX_BYTES = 64 << 20
"""Nothing in a repository is longer: a model for a till has a few MB."""


class ReleaseStore(Protocol):
    """The files of one chain, by path such as `metadata/2.root.json`. Every method may raise `StoreAway`."""

    def get(self, path: str) -> bytes:
        """The file's content. Raises `StoreFileMissing`."""

    def put_new(self, path: str, content: bytes) -> None:
        """Store a file that never changes, durable when this returns; the same content again is no error.

        Raises:
            AlreadyThere: It exists with other content, which stays.
        """

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """Store the one file that does change, durable and whole or not at all.

        Args:
            path: The timestamp's.
            content: The new one.
            expected: What was read before; None where nothing was there.

        Raises:
            ChangedMeanwhile: Something else is there; it stays.
        """

    def names(self, folder: str) -> frozenset[str]:
        """The paths of all files directly in a folder."""
