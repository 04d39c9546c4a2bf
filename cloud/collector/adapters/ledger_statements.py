"""The ledger's statements, one purpose each; where the two databases differ, in `Statements`."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, Update, bindparam, select, update
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
    usage,
    withdrawals,
)
from wire_protocol.envelope import VerifiedMessage

END: Final = (
    update(messages)
    .where(
        messages.c.tenant == bindparam("of_tenant"),
        messages.c.register == bindparam("of_register"),
        messages.c.message_id == bindparam("of_message_id"),
        messages.c.token == bindparam("of_token"),
    )
    .values(
        state=bindparam("new_state"),
        version=bindparam("new_version"),
        token=None,
        lease_until_ms=None,
    )
)
"""Ends the claims of `end_values`."""


def end_values(tenant: str, row: Row, token: bytes) -> dict[str, Any]:
    """For `END`: the row as it is to be, and the token that its claim has."""
    return {
        "of_tenant": tenant,
        "of_register": row.register,
        "of_message_id": row.message_id,
        "of_token": token,
        "new_state": row.state.value,
        "new_version": row.version,
    }


ROWS_OF: Final = select(
    messages.c.register,
    messages.c.message_id,
    messages.c.sha256,
    messages.c.state,
    messages.c.received_at_ms,
    messages.c.attempts,
    messages.c.reason,
    messages.c.version,
    messages.c.token,
    messages.c.lease_until_ms,
).where(
    messages.c.tenant == bindparam("tenant"),
    # Without the registers no index has the ids: the whole tenant would be read.
    messages.c.register.in_(bindparam("registers", expanding=True)),
    messages.c.message_id.in_(bindparam("ids", expanding=True)),
)
"""The rows of messages. This and the next are asked in every transaction of the hot path: made once, for
building a statement costs more than running it."""


def rows_asked(tenant: str, messages_: Iterable[VerifiedMessage]) -> dict[str, Any]:
    """For `ROWS_OF`; of several registers it may find a row of one with the id of another's message."""
    found = [(message.identity.register, message.header.message_id) for message in messages_]
    registers = dict.fromkeys(register for register, _ in found)
    return {"tenant": tenant, "registers": [*registers], "ids": [message_id for _, message_id in found]}


CONSENTS_OF: Final = select(
    consents.c.consent, consents.c.register, consents.c.interaction, consents.c.receipt
).where(consents.c.tenant == bindparam("tenant"), consents.c.consent.in_(bindparam("ids", expanding=True)))
"""What is known of consents."""

WITHDRAWALS_OF: Final = select(withdrawals.c.consent, withdrawals.c.withdrawn_at_ms).where(
    withdrawals.c.tenant == bindparam("tenant"), withdrawals.c.consent.in_(bindparam("ids", expanding=True))
)
"""Which consents were withdrawn, and when."""

USAGE_OF: Final = select(usage.c.frames, usage.c.bytes).where(
    usage.c.tenant == bindparam("tenant"), usage.c.day == bindparam("day")
)
"""What a tenant has stored on a day."""


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
        # Kept from others until the transaction ends; SQLite's has one writer anyhow.
        self.lock: Select[Any] = ROWS_OF if sqlite else ROWS_OF.with_for_update()
        self.add_rows = (
            new(messages).on_conflict_do_nothing().returning(messages.c.register, messages.c.message_id)
        )
        self.add_consents = new(consents).on_conflict_do_nothing().returning(consents.c.consent)
        self.add_interactions = (
            new(interactions).on_conflict_do_nothing().returning(interactions.c.interaction)
        )
        self.add_outcomes = new(outcomes).on_conflict_do_nothing().returning(outcomes.c.outcome)
        self.add_withdrawal = new(withdrawals).on_conflict_do_nothing()
        self.add_frames = new(frames).on_conflict_do_nothing()
        self.add_quarantine = new(quarantine).on_conflict_do_nothing()
        counted = new(refusals)
        self.add_refusals = counted.on_conflict_do_update(
            index_elements=list(refusals.primary_key),
            set_={"count": refusals.c.count + counted.excluded.count},
        ).returning(refusals.c.count)
        used = new(usage)
        self.add_usage = used.on_conflict_do_update(
            index_elements=list(usage.primary_key),
            set_={
                "frames": usage.c.frames + used.excluded.frames,
                "bytes": usage.c.bytes + used.excluded.bytes,
            },
        )


_SQLITE: Final = sqlite.insert
_POSTGRES: Final = postgresql.insert
