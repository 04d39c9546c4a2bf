"""The statements of a frame's way as text for the driver: making them anew cost more than running them.

One transaction opens a batch, another finishes it; all that they say is here. SQLite and PostgreSQL differ in
the sign of a parameter, in locking rows, and in how they tell which rows were new. What is rare stands in
`ledger_statements`.
"""

import functools
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from cloud.collector.adapters import ledger_statements as sql
from cloud.collector.adapters.ledger_values import row_of
from cloud.collector.values import ConsentFact, Row
from wire_protocol.envelope import VerifiedMessage

_ROWS: Final = """
    WITH asked (register, message_id) AS (VALUES {pairs})
    SELECT m.register, m.message_id, m.sha256, m.state, m.received_at_ms, m.attempts, m.reason, m.version,
           m.token, m.lease_until_ms
    FROM asked JOIN messages AS m ON m.register = asked.register AND m.message_id = asked.message_id
    WHERE m.tenant = ?"""
_CONSENTS: Final = (
    "SELECT consent, register, interaction, receipt FROM consents WHERE tenant = ? AND consent IN ({signs})"
)
_WITHDRAWALS: Final = (
    "SELECT consent, withdrawn_at_ms FROM withdrawals WHERE tenant = ? AND consent IN ({signs})"
)
_USAGE: Final = "SELECT frames, bytes FROM usage WHERE tenant = ? AND day = ?"
_END: Final = """
    UPDATE messages SET state = ?, version = ?, token = NULL, lease_until_ms = NULL
    WHERE tenant = ? AND register = ? AND message_id = ? AND token = ?"""
_ADD: Final = "INSERT INTO {table} ({columns}) VALUES ({signs}) ON CONFLICT DO NOTHING"
_ADD_USAGE: Final = """
    INSERT INTO usage (tenant, day, frames, bytes) VALUES (?, ?, ?, ?)
    ON CONFLICT (tenant, day) DO UPDATE SET
        frames = usage.frames + excluded.frames, bytes = usage.bytes + excluded.bytes"""


class HotStatements:
    """What opening and finishing ask and write; every method within a transaction of one tenant.

    Args:
        sqlite: Which of the two databases it is.
    """

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite
        self._returning = sql.Statements(sqlite=sqlite)

    def rows(
        self, c: Connection, tenant: str, messages: Iterable[VerifiedMessage], *, lock: bool
    ) -> dict[tuple[str, bytes], Row]:
        """The rows of these messages, by register and id.

        With `lock`, others are kept from them until the transaction ends; SQLite has one writer anyhow.
        """
        names = [(one.identity.register, one.header.message_id) for one in messages]
        return self._rows(c, tenant, names, lock=lock)

    def row(self, c: Connection, tenant: str, register: str, message_id: bytes) -> Row | None:
        """The row of one message, kept from others until the transaction ends."""
        found = self._rows(c, tenant, [(register, message_id)], lock=True)
        return found.get((register, message_id))

    def _rows(
        self, c: Connection, tenant: str, names: Sequence[tuple[str, bytes]], *, lock: bool
    ) -> dict[tuple[str, bytes], Row]:
        asked = [part for name in names for part in name]
        text = _listing(_ROWS, len(names), sqlite=self._sqlite)
        if lock and not self._sqlite:
            text += " FOR UPDATE OF m"
        found = c.exec_driver_sql(text, (*asked, tenant))
        return {(row.register, row.message_id): row_of(row) for row in found}

    def consents(self, c: Connection, tenant: str, ids: Sequence[bytes]) -> dict[bytes, ConsentFact]:
        """What is known of these consents."""
        found = c.exec_driver_sql(_listing(_CONSENTS, len(ids), sqlite=self._sqlite), (tenant, *ids))
        return {
            consent: ConsentFact(register, interaction, receipt)
            for consent, register, interaction, receipt in found
        }

    def withdrawals(self, c: Connection, tenant: str, ids: Sequence[bytes]) -> dict[bytes, int]:
        """When those of these consents were withdrawn that were."""
        found = c.exec_driver_sql(_listing(_WITHDRAWALS, len(ids), sqlite=self._sqlite), (tenant, *ids))
        return {row.consent: row.withdrawn_at_ms for row in found}

    def usage(self, c: Connection, tenant: str, day: str) -> tuple[int, int]:
        """Frames and bytes that a tenant has stored on a day."""
        found = c.exec_driver_sql(self._text(_USAGE), (tenant, day)).one_or_none()
        return (found.frames, found.bytes) if found is not None else (0, 0)

    def add_rows(self, c: Connection, values: Sequence[dict[str, Any]]) -> set[tuple[str, bytes]]:
        """Insert rows of `messages`; register and id of those that were not there."""
        if self._sqlite:
            self._add_new(c, "messages", values)
            return {(value["register"], value["message_id"]) for value in values}
        return {(row.register, row.message_id) for row in c.execute(self._returning.add_rows, values)}

    def add_consents(self, c: Connection, values: Sequence[dict[str, Any]]) -> set[bytes]:
        """Insert rows of `consents`; the ids of those that were not there."""
        if self._sqlite:
            self._add_new(
                c, "consents", [{**value, "purposes": json.dumps(value["purposes"])} for value in values]
            )
            return {value["consent"] for value in values}
        return set(c.execute(self._returning.add_consents, values).scalars())

    def end(self, c: Connection, tenant: str, ended: Sequence[tuple[Row, bytes]]) -> None:
        """End claims: each row as it is to be, and the token that its claim has."""
        values = [
            (row.state.value, row.version, tenant, row.register, row.message_id, token)
            for row, token in ended
        ]
        c.exec_driver_sql(self._text(_END), values)

    def add_frames(self, c: Connection, values: Sequence[dict[str, Any]]) -> None:
        """Insert rows of `frames`; one that is there stays as it is."""
        self._add(c, "frames", values)

    def add_usage(self, c: Connection, tenant: str, day: str, frames: int, size: int) -> None:
        """Count what was stored."""
        c.exec_driver_sql(self._text(_ADD_USAGE), (tenant, day, frames, size))

    def _add_new(self, c: Connection, table: str, values: Sequence[dict[str, Any]]) -> None:
        """For SQLite, whose only writer has seen in this transaction that none of them is there."""
        added = self._add(c, table, values)
        assert added == len(values), f"{added} of {len(values)} rows of {table} were new"

    def _add(self, c: Connection, table: str, values: Sequence[dict[str, Any]]) -> int:
        text = _adding(table, tuple(values[0]), sqlite=self._sqlite)
        return c.exec_driver_sql(text, [tuple(value.values()) for value in values]).rowcount

    def _text(self, statement: str) -> str:
        return _signed(statement, sqlite=self._sqlite)


@functools.cache
def _signed(statement: str, *, sqlite: bool) -> str:
    return statement if sqlite else statement.replace("?", "%s")


@functools.lru_cache(maxsize=1024)
def _listing(statement: str, count: int, *, sqlite: bool) -> str:
    """The statement for so many of what it is asked for."""
    text = statement.format(pairs=", ".join(["(?, ?)"] * count), signs=", ".join("?" * count))
    return _signed(text, sqlite=sqlite)


@functools.cache
def _adding(table: str, columns: tuple[str, ...], *, sqlite: bool) -> str:
    text = _ADD.format(table=table, columns=", ".join(columns), signs=", ".join("?" * len(columns)))
    return _signed(text, sqlite=sqlite)
