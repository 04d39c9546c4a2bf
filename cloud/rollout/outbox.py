"""Desired states on their way to the broker: retained messages, signed with the tenant's key for fleets."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update

from cloud.database.engine import Database
from cloud.database.schema import desired_states, rollout_members, rollouts
from cloud.rollout.values import State
from wire_protocol.envelope import Header, make
from wire_protocol.fields import from_value
from wire_protocol.fleet_messages import DesiredDown, Settings
from wire_protocol.keys import SigningKey
from wire_protocol.limits import COUNT_MAX, GENERATION_STEP
from wire_protocol.topics import Down, Identity, Topic

_desired, _member = desired_states.c, rollout_members.c
BELIEVED: Final = COUNT_MAX - GENERATION_STEP
"""A register that claims to know a later generation is not believed: hardly an order could follow it.

Below, a claim costs nobody but the register itself, and a thief's order must be overtaken, however far ahead.
"""
_CHUNK: Final = 500
_RETURNS: Final = (State.RETURNING.value, State.RETURNED.value)


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
    handed = {order.identity.register: order.generation for order in orders}
    for generation, registers in _by_generation(handed):
        connection.execute(
            update(desired_states)
            .where(
                _desired.tenant == tenant,
                _desired.register.in_(registers),
                _desired.published_generation < generation,
            )
            .values(published_generation=generation)
        )


def publish_again(
    connection: Connection,
    tenant: str,
    known: Iterable[tuple[str, int]],
    set_until_ms: int,
    *,
    frozen: bool = False,
) -> int:
    """Put orders back into the outbox whose registers know an older one, or a newer one; how many.

    A newer one: the database was put back to an earlier time. The order goes ahead of what the register
    knows, which would ignore it for ever otherwise.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        known: Registers and the generation that each reported.
        set_until_ms: Younger orders may still be on their way.
        frozen: Only what brings a register back, or away from a withdrawn release, is said again.
    """
    newest: dict[str, int] = {}
    for register, generation in known:
        newest[register] = max(generation, newest.get(register, 0))
    found = select(_desired.register, _desired.generation).where(
        _desired.tenant == tenant, _desired.register.in_(newest)
    )
    ours = {register: generation for register, generation in connection.execute(found)}  # noqa: C416 - rows
    behind = {register: newest[register] for register in ours if newest[register] < ours[register]}
    ahead = {register: newest[register] for register in ours if ours[register] < newest[register] < BELIEVED}
    return _put_back(connection, tenant, behind, set_until_ms, frozen=frozen) + _overtake(
        connection, tenant, ahead
    )


def _put_back(
    connection: Connection, tenant: str, behind: Mapping[str, int], set_until_ms: int, *, frozen: bool
) -> int:
    again = 0
    for generation, registers in _by_generation(behind):
        put_back = update(desired_states).where(
            _desired.tenant == tenant,
            _desired.register.in_(registers),
            _desired.generation > generation,
            _desired.published_generation == _desired.generation,
            _desired.set_at_ms <= set_until_ms,
        )
        if frozen:
            returns = select(rollouts.c.rollout).where(
                rollouts.c.tenant == tenant, rollouts.c.state.in_(_RETURNS)
            )
            put_back = put_back.where(or_(_desired.rollout.in_(returns), _desired.rollout.is_(None)))
        again += connection.execute(put_back.values(published_generation=0)).rowcount
    return again


def _overtake(connection: Connection, tenant: str, ahead: Mapping[str, int]) -> int:
    """Order and member move on together: what the register knew is not this order."""
    moved = 0
    for generation, registers in _by_generation(ahead):
        moved += connection.execute(
            update(desired_states)
            .where(
                _desired.tenant == tenant,
                _desired.register.in_(registers),
                _desired.generation < generation,
            )
            .values(generation=generation + 1, published_generation=0)
        ).rowcount
        of_order = (
            select(_desired.rollout)
            .where(_desired.tenant == _member.tenant, _desired.register == _member.register)
            .scalar_subquery()
        )
        connection.execute(
            update(rollout_members)
            .where(_member.tenant == tenant, _member.register.in_(registers), _member.rollout == of_order)
            .values(generation=generation + 1)
        )
    return moved


def _by_generation(known: Mapping[str, int]) -> Iterator[tuple[int, list[str]]]:
    """Registers by their generation, in pieces that fit one statement."""
    by_generation: dict[int, list[str]] = {}
    for register, generation in known.items():
        by_generation.setdefault(generation, []).append(register)
    for generation, registers in by_generation.items():
        for start in range(0, len(registers), _CHUNK):
            yield generation, registers[start : start + _CHUNK]
