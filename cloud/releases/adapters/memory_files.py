"""Repositories in memory, for tests and simulations."""

from cloud.releases.errors import FileMissing, ReleasesAway
from cloud.releases.paths import checked
from cloud.releases.ports import Piece


class MemoryFiles:
    """As `ReleaseFiles`; `put` and `remove` are what a publisher does."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.away = False
        """Whether it plays a store that does not answer."""
        self.asked: list[tuple[str, str]] = []
        """Every (tenant, path) that was asked for, in order."""

    def put(self, tenant: str, path: str, content: bytes) -> None:
        """Write a file."""
        self._files[checked(tenant, path)] = content

    def remove(self, tenant: str, path: str) -> None:
        """Take a file away."""
        del self._files[checked(tenant, path)]

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        """As the port says."""
        place = checked(tenant, path)
        self.asked.append((tenant, path))
        if self.away:
            raise ReleasesAway("the store does not answer")
        if place not in self._files:
            raise FileMissing(f"{path} is not there")
        content = self._files[place]
        return Piece(content[offset : offset + length], len(content))
