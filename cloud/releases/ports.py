"""What look and file service ask of the place where repositories lie."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file; empty where the offset lies at its end or behind.

    Attributes:
        total: Bytes of the whole file.
    """

    data: bytes
    total: int


class ReleaseFiles(Protocol):
    """The repositories of all chains, read only; may be used by several threads at once."""

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        """Up to `length` bytes of a file from `offset`.

        Args:
            tenant: The chain; no other chain's file can be had through it.
            path: Below the chain's repository, such as `metadata/1.root.json`.
            offset: First byte.
            length: At most; less at the end of the file.

        Raises:
            FileMissing: There is no such file, or the path is none.
            ReleasesAway: The store does not answer.
            ReleasesRefused: It refuses us.
        """
