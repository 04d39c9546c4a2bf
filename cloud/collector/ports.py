"""What the collector asks of the world. Everything waits as coroutines, so a simulation can hold the time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloud.collector.values import (
    Answered,
    Condemned,
    Delivery,
    Ending,
    Facts,
    Failure,
    Offer,
    Opening,
    RefusalCount,
    RegisterRecord,
    Row,
    Ruling,
    TenantRecord,
)
from cloud.objects.ports import Version
from wire_protocol.keys import SigningKey
from wire_protocol.topics import Topic

Decide = Callable[[Offer, Facts], Ruling]
"""`acceptance.accept` with everything but these two bound: pure."""


class Clock(Protocol):
    """The time that the cloud stamps receipts with."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


class Link(Protocol):
    """The broker: a shared subscription with acknowledgement by hand."""

    async def next(self) -> Delivery:
        """The next message; waits as long as it takes, reconnecting underneath."""

    def publish(self, topic: Topic, message: bytes) -> None:
        """Send a message once; where the broker is away it is lost, and the repeat gets its answer.

        What is published before `acknowledge` reaches the broker before it. Never blocks, never raises.
        """

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK; without effect where the connection that brought it is gone. Never blocks, never raises."""


class Objects(Protocol):
    """The versioned bucket. Every method may raise `cloud.objects.ports.ObjectsAway`."""

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Store a new version and return its id, once the store has confirmed it."""

    async def versions(self, prefix: str) -> Sequence[Version]:
        """Every version of the objects whose keys begin with `prefix`, newest first within a key."""

    async def folders(self, prefix: str) -> Sequence[str]:
        """The next parts of the keys below `prefix`, each with its slash."""

    async def metadata(self, key: str, version: str) -> Mapping[str, str] | None:
        """What was put with a version; None where it is gone."""

    async def delete(self, key: str, version: str) -> None:
        """Delete one version for good; a missing one is no error."""


class Ledger(Protocol):
    """The database's rows of messages and what they carried.

    Every method may raise `cloud.errors.DatabaseAway`. One call is one transaction of one tenant: all of it
    is durable when the call returns, or nothing is.
    """

    async def open(
        self, tenant: str, offers: Sequence[Offer], decide: Decide, now_ms: int
    ) -> Sequence[Opening]:
        """Decide on each offer by what is known, and write down what was decided.

        Frames that are accepted are claimed: their row has the offer's token until `lease_until_ms` of the
        ruling. Small kinds are stored at once. No two offers have the same message id or the same consent.
        """

    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        """End claims: stored, or given back. None where the claim is no longer ours.

        A stored frame whose consent was withdrawn meanwhile becomes `gone`.
        """

    async def row(self, tenant: str, register: str, message_id: bytes) -> Row | None:
        """The row of one message."""

    async def fail(self, tenant: str, failure: Failure, now_ms: int) -> Row:
        """Count a failed attempt at a message; at the last that it has: quarantine, and refused as `poison`.

        A withdrawal (`Failure.refusable`) goes to quarantine too, but is never refused.
        Returns the row as it is then; of a message that is settled already, or whose id has other bytes, it
        is left as it was.
        """

    async def count_refusals(self, tenant: str, counts: Sequence[RefusalCount]) -> None:
        """Add to the counters by register, reason and day."""

    async def without_frame(self, tenant: str, versions: Sequence[Version]) -> Sequence[Version]:
        """Those versions that no stored frame has."""

    async def condemn(self, tenant: str, version: Condemned, now_ms: int) -> bool:
        """Whether a version that no frame has may be deleted.

        No where its message's claim is live or its row names this version. Yes ends an expired claim, so that
        who held it cannot finish with the version that is deleted next.
        """


class Directory(Protocol):
    """Who may send, and how much. May raise `cloud.errors.DatabaseAway`."""

    async def tenant(self, tenant: str) -> TenantRecord | None:
        """A tenant with its quotas and consent keys."""

    async def tenants(self) -> Sequence[str]:
        """Every tenant's name."""

    async def registers(self, tenant: str, registers: Sequence[str]) -> Mapping[str, RegisterRecord]:
        """Those of the registers that are known, with all their keys."""


SignerOf = Callable[[str], SigningKey]
"""The key that signs a tenant's receipts; raises `wire_protocol.errors.TopscoopError` where there is none."""


class Watch(Protocol):
    """Counters and logs."""

    def received(self, size: int) -> None:
        """A message came in."""

    def answered(self, answered: Answered) -> None:
        """A message was acknowledged; what became of it."""

    def failed(self, event: str, topic: str, error: Exception) -> None:
        """Something unexpected; the message is tried again."""

    def swept(self, version: Version) -> None:
        """A version that no row names was deleted."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the rules."""

    link: Link
    ledger: Ledger
    objects: Objects
    directory: Directory
    signer_of: SignerOf
    clock: Clock
    watch: Watch
    token: Callable[[], bytes]
    """16 random bytes at each call."""
