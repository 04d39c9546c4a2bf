"""Desired states on their way to the broker: retained messages, signed with the tenant's key for fleets."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from cloud.database.engine import Database
from cloud.database.schema import desired_states
from wire_protocol.envelope import Header, make
from wire_protocol.fields import from_value
from wire_protocol.fleet_messages import DesiredDown, Settings
from wire_protocol.keys import SigningKey
from wire_protocol.topics import Down, Identity, Topic

_desired = desired_states.c


@dataclass(frozen=True, slots=True)
class Order:
    """A register's desired state that the broker does not have yet."""

    identity: Identity
    generation: int
    desired: DesiredDown


@dataclass(frozen=True, slots=True)
class Letter:
    """An order, signed."""

    order: Order
    topic: Topic
    message: bytes


class Outbox:
    """What is to be published, of one chain at a time; any thread may call it.

    Args:
        database: The cloud's.
        signer_of: The tenant's key for its fleet; raises ServiceKeyMissing.
        clock: Milliseconds since 1970.
        randomness: So many random bytes.
    """

    def __init__(
        self,
        database: Database,
        signer_of: Callable[[str], SigningKey],
        clock: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._signer_of = signer_of
        self._clock = clock
        self._randomness = randomness

    def take(self, tenant: str, limit: int) -> list[Letter]:
        """The oldest orders that were not published, signed.

        Raises:
            DatabaseAway: Try later.
            ServiceKeyMissing: The tenant's key is not in the state folder.
        """
        with self._database.tenant(tenant, read_only=True) as connection:
            orders = read_unpublished(connection, tenant, limit)
        if not orders:
            return []
        signer, now_ms = self._signer_of(tenant), self._clock()
        return [self._letter(order, signer, now_ms) for order in orders]

    def published(self, tenant: str, orders: Sequence[Order]) -> None:
        """The broker has these. Raises DatabaseAway: they are published again, which does no harm."""
        with self._database.tenant(tenant) as connection:
            mark_published(connection, tenant, orders)

    def _letter(self, order: Order, signer: SigningKey, now_ms: int) -> Letter:
        topic = Topic(order.identity, Down.DESIRED)
        header = Header(topic, self._randomness(16), 0, now_ms)
        return Letter(order, topic, make(header, order.desired, (), signer))


def read_unpublished(connection: Connection, tenant: str, limit: int) -> list[Order]:
    """Orders whose newest generation was not handed to the broker, oldest first."""
    found = (
        select(desired_states)
        .where(_desired.tenant == tenant, _desired.published_generation < _desired.generation)
        .order_by(_desired.set_at_ms, _desired.register)
        .limit(limit)
    )
    return [
        Order(Identity(tenant, row.register), row.generation, _down(row)) for row in connection.execute(found)
    ]


def _down(row: Any) -> DesiredDown:
    return DesiredDown(
        generation=row.generation,
        settings=from_value(Settings, row.settings, "settings"),
        release=row.release,
        digest=row.digest,
        rollout=row.rollout,
    )


def mark_published(connection: Connection, tenant: str, orders: Sequence[Order]) -> None:
    """Write down which generation of each register the broker has; one statement for each generation."""
    by_generation: dict[int, list[str]] = {}
    for order in orders:
        by_generation.setdefault(order.generation, []).append(order.identity.register)
    for generation, registers in by_generation.items():
        for start in range(0, len(registers), 500):
            connection.execute(
                update(desired_states)
                .where(
                    _desired.tenant == tenant,
                    _desired.register.in_(registers[start : start + 500]),
                    _desired.published_generation < generation,
                )
                .values(published_generation=generation)
            )


def publish_again(
    connection: Connection, tenant: str, known: Iterable[tuple[str, int]], set_until_ms: int
) -> int:
    """Put orders back into the outbox whose registers still report an older one; how many.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        known: Registers and the generation that each reported.
        set_until_ms: Younger orders may still be on their way.
    """
    by_generation: dict[int, list[str]] = {}
    for register, generation in known:
        by_generation.setdefault(generation, []).append(register)
    again = 0
    for generation, registers in by_generation.items():
        put_back = (
            update(desired_states)
            .where(
                _desired.tenant == tenant,
                _desired.register.in_(registers),
                _desired.generation > generation,
                _desired.published_generation == _desired.generation,
                _desired.set_at_ms <= set_until_ms,
            )
            .values(published_generation=0)
        )
        again += connection.execute(put_back).rowcount
    return again
