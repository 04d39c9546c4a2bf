"""What the updater asks of the world; adapters answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge_agent.updates.errand import Tried
from wire_protocol.fleet_messages import MetadataSeen
from wire_protocol.release_metadata import Listing


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file of the repository as signed metadata describes it.

    Args:
        path: Below the repository, as it is fetched.
        length: In bytes.
        sha256: In hex.
    """

    path: str
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What the chain's keys say now; nothing but `Trust.refresh` makes one.

    Args:
        listing: Policy and releases.
        digests: Listed release -> SHA-256 of its network in hex, as it is signed.
        metadata: Versions, expiry, floor.
    """

    listing: Listing
    digests: Mapping[int, str] = field(hash=False)
    metadata: MetadataSeen


class Source(Protocol):
    """Where files of the repository come from; what they are worth, signatures say."""

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """The file from `offset` on, in pieces, in order; at most `longest` bytes of it.

        Raises:
            FileMissing: There is no such file.
            FetchFailed: Not reached, too slow, too long, another length than `total`.
        """


class Trust(Protocol):
    """The chain's signed metadata."""

    def refresh(self) -> Signed:
        """Fetch what is new, verify it, make it durable.

        Raises:
            Refusal: `untrusted`, `metadata-expired`, `clock`, `unreachable`, `disk`, `no-room`.
        """

    def file(self, path: str) -> SignedFile | None:
        """What is signed about a target; None: nothing. After `refresh`."""


class Shelf(Protocol):
    """Complete releases, and the one in the making; every method raises OSError."""

    def open(self, name: str) -> None:
        """Begin or go on with this one; what else lies in the making goes."""

    def complete(self, name: str, files: dict[str, str], manifest: bytes) -> bool:
        """Whether it lies complete: file -> SHA-256 in hex, and these bytes as manifest."""

    def has(self, file: str, sha256: str) -> bool:
        """Whether this file of the one in the making is there, with this digest."""

    def fetched(self, file: str, longest: int) -> int:
        """How much of a file is there to go on from; a part that is too long is dropped."""

    def append(self, file: str, piece: bytes) -> None:
        """Add to the part."""

    def keep(self, file: str, sha256: str) -> bool:
        """The part is the file if its digest is right; else it is dropped."""

    def write(self, file: str, content: bytes) -> None:
        """A whole small file."""

    def place(self) -> str:
        """The folder of the one in the making."""

    def flush(self) -> None:
        """Make all of it durable."""

    def clear_place(self) -> None:
        """Move what lies at its place among the releases out of the way."""

    def move_in(self) -> None:
        """Put it among the complete releases, in one step."""

    def flush_releases(self) -> None:
        """Make that step durable."""

    def tidy(self) -> None:
        """Remove what is left in the making."""

    def room(self) -> int:
        """Free bytes."""


class Preflight(Protocol):
    """Tries a model before anybody sees its answers."""

    def prepare(self) -> None:
        """Start what takes time; may be left out."""

    def try_model(self, directory: str) -> Tried:
        """Load and run the model in `directory`.

        Raises:
            Refusal: Every way in which it is bad.
        """
