"""What the file service asks of the world besides the store (`cloud.releases.ports`) and the directory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cloud.collector.ports import Clock, Directory, SignerOf
from cloud.collector.values import Delivery
from cloud.releases.ports import Piece, ReleaseFiles
from wire_protocol.errors import RefusedMessage, TopscoopError
from wire_protocol.fleet_messages import FileStatus
from wire_protocol.topics import Topic


class Link(Protocol):
    """The broker: a shared subscription with acknowledgement by hand."""

    async def next(self) -> Delivery:
        """The next message; waits as long as it takes, reconnecting underneath."""

    def publish(self, topic: Topic, message: bytes) -> None:
        """Send a message once, or lose it where the broker is away. Never blocks, never raises."""

    async def flushed(self) -> None:
        """Wait until what was published went out, or was lost."""

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK; without effect where the connection that brought it is gone."""


class Store(ReleaseFiles, Protocol):
    """The repositories, with what was read lately in memory."""

    def remembered(self, tenant: str, path: str, offset: int, length: int) -> Piece | None:
        """A piece of what is in memory; None where it is not. Raises FileMissing."""


class Watch(Protocol):
    """Counters and logs."""

    def answered(self, status: FileStatus, size: int, took_ms: int) -> None:
        """A request was answered."""

    def refused(self, topic: str, error: RefusedMessage) -> None:
        """A request is not believed; nobody is answered."""

    def waits(self, what: str, error: TopscoopError) -> None:
        """`database`, `releases` or `keys` are not as they must be; the register asks again."""

    def failed(self, topic: str, error: Exception) -> None:
        """A defect met one request."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the rules."""

    link: Link
    store: Store
    directory: Directory
    signer_of: SignerOf
    clock: Clock
    watch: Watch
    token: Callable[[], bytes]
    """16 random bytes at each call."""
