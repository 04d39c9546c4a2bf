"""The collector's rows in plain `sqlite3`: what writing them costs without an ORM's or a claim's logic."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from cloud.collector.acceptance import day_of
from cloud.collector.adapters.ledger_values import consent_values
from cloud.collector.values import Offer
from wire_protocol.messages import FrameUp

_MESSAGE = (
    "tenant",
    "register",
    "message_id",
    "kind",
    "sha256",
    "state",
    "received_at_ms",
    "size",
    "late",
    "token",
    "lease_until_ms",
    "attempts",
    "version",
)
_FRAME = (
    "tenant",
    "register",
    "message_id",
    "interaction",
    "consent",
    "object_key",
    "version",
    "size",
    "captured_at_ms",
    "stored_at_ms",
    "expires_at_ms",
)
_END = (
    "UPDATE messages SET state = 'stored', version = ?, token = NULL, lease_until_ms = NULL "
    "WHERE tenant = ? AND register = ? AND message_id = ? AND token = ?"
)
_USAGE = (
    "INSERT INTO usage (tenant, day, frames, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, day) "
    "DO UPDATE SET frames = frames + excluded.frames, bytes = bytes + excluded.bytes"
)
_LEASE_MS = 30_000


class Rows:
    """Tables `messages`, `consents`, `frames`, `usage` of the cloud's schema, as durable as its."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 30000")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Durable at the end of the block."""
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("COMMIT")

    def store(self, stored: Sequence[tuple[Offer, str, str]], now_ms: int) -> None:
        """Frames that are stored already, with key and version: no claim came before."""
        self._consents([offer for offer, _, _ in stored])
        self._messages(stored, "stored", now_ms)
        self._frames(stored, now_ms)

    def claim(self, offers: Sequence[Offer], now_ms: int) -> None:
        """Before the put: consents, and messages with a token."""
        self._consents(offers)
        self._messages([(offer, "", "") for offer in offers], "claimed", now_ms)

    def finish(self, stored: Sequence[tuple[Offer, str, str]], now_ms: int) -> None:
        """After the put: messages get their version, frames their row."""
        self._connection.executemany(
            _END,
            [
                (
                    version,
                    offer.tenant.tenant,
                    offer.message.identity.register,
                    offer.message.header.message_id,
                    offer.token,
                )
                for offer, _, version in stored
            ],
        )
        self._frames(stored, now_ms)

    def _consents(self, offers: Sequence[Offer]) -> None:
        values = [consent_values(offer.tenant.tenant, offer) for offer in offers]
        rows = [{**value, "purposes": json.dumps(value["purposes"])} for value in values]
        self._insert("consents", list(rows[0]), [list(row.values()) for row in rows])

    def _messages(self, stored: Sequence[tuple[Offer, str, str]], state: str, now_ms: int) -> None:
        claimed = state == "claimed"
        rows = [
            [
                offer.tenant.tenant,
                offer.message.identity.register,
                offer.message.header.message_id,
                "frame",
                offer.message.sha256,
                state,
                now_ms,
                len(offer.message.message),
                False,
                offer.token if claimed else None,
                now_ms + _LEASE_MS if claimed else None,
                0,
                version or None,
            ]
            for offer, _, version in stored
        ]
        self._insert("messages", _MESSAGE, rows)

    def _frames(self, stored: Sequence[tuple[Offer, str, str]], now_ms: int) -> None:
        rows: list[list[Any]] = []
        for offer, key, version in stored:
            frame, consent = offer.message.payload, offer.consent
            assert isinstance(frame, FrameUp)
            assert consent is not None
            rows.append(
                [
                    offer.tenant.tenant,
                    offer.message.identity.register,
                    offer.message.header.message_id,
                    frame.interaction,
                    frame.consent,
                    key,
                    version,
                    len(offer.message.message),
                    frame.captured_at,
                    now_ms,
                    consent.consent.expires_at,
                ]
            )
        self._insert("frames", _FRAME, rows)
        size = sum(len(offer.message.message) for offer, _, _ in stored)
        self._connection.execute(_USAGE, (stored[0][0].tenant.tenant, day_of(now_ms), len(stored), size))

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
