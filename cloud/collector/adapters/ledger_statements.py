"""The ledger's rarer statements, one purpose each; where the two databases differ, in `Statements`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, Update, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.collector.values import Row
from cloud.database.schema import (
    consents,
    frames,
    interactions,
    messages,
    outcomes,
    quarantine,
    refusals,
    withdrawals,
)


def interaction_owners(tenant: str, ids: Sequence[bytes]) -> Select[Any]:
    """Which registers sent these interactions."""
    return select(interactions.c.interaction, interactions.c.register).where(
        interactions.c.tenant == tenant, interactions.c.interaction.in_(ids)
    )


def outcome_owners(tenant: str, ids: Sequence[bytes]) -> Select[Any]:
    """Which registers sent these outcomes."""
    return select(outcomes.c.outcome, outcomes.c.register).where(
        outcomes.c.tenant == tenant, outcomes.c.outcome.in_(ids)
    )


def frames_with(tenant: str, versions: Sequence[str]) -> Select[Any]:
    """The frames that have one of these versions."""
    return select(frames.c.object_key, frames.c.version).where(
        frames.c.tenant == tenant, frames.c.version.in_(versions)
    )


def settle(tenant: str, seen: Row, row: Row, *, late: bool) -> Update:
    """Turn an unsettled row into `row`, if nobody has touched it since it was `seen`."""
    return _unsettled(tenant, seen).values(
        state=row.state.value,
        reason=row.reason.value if row.reason else None,
        attempts=row.attempts,
        token=row.token,
        lease_until_ms=row.lease_until_ms,
        late=late,
    )


def release(tenant: str, seen: Row) -> Update:
    """Make an expired claim nobody's."""
    return _unsettled(tenant, seen).values(token=None, lease_until_ms=None)


def _unsettled(tenant: str, seen: Row) -> Update:
    return update(messages).where(
        messages.c.tenant == tenant,
        messages.c.register == seen.register,
        messages.c.message_id == seen.message_id,
        messages.c.state == "claimed",
        messages.c.token.is_not_distinct_from(seen.token),
    )


def start_of(day: str) -> int:
    """Milliseconds at which a UTC day begins."""
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)


class Statements:
    """Inserts that conflict quietly, in the dialect of the database."""

    def __init__(self, *, sqlite: bool) -> None:
        new: Any = _SQLITE if sqlite else _POSTGRES
        self.add_rows = (
            new(messages).on_conflict_do_nothing().returning(messages.c.register, messages.c.message_id)
        )
        self.add_consents = new(consents).on_conflict_do_nothing().returning(consents.c.consent)
        self.add_interactions = (
            new(interactions).on_conflict_do_nothing().returning(interactions.c.interaction)
        )
        self.add_outcomes = new(outcomes).on_conflict_do_nothing().returning(outcomes.c.outcome)
        self.add_withdrawal = new(withdrawals).on_conflict_do_nothing()
        self.add_quarantine = new(quarantine).on_conflict_do_nothing()
        counted = new(refusals)
        self.add_refusals = counted.on_conflict_do_update(
            index_elements=list(refusals.primary_key),
            set_={"count": refusals.c.count + counted.excluded.count},
        ).returning(refusals.c.count)


_SQLITE: Final = sqlite.insert
_POSTGRES: Final = postgresql.insert
