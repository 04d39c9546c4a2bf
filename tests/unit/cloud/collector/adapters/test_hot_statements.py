"""Statements of the hot path: found by keys, however much a tenant has stored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from cloud.collector.adapters.hot_statements import HotStatements
from cloud.collector.adapters.ledger_values import row_values
from cloud.collector.values import Row, State
from cloud.database.engine import open_database
from tests.builders.frame_sender import Sender
from tests.builders.ledgers import offer_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database
    from wire_protocol.envelope import VerifiedMessage

NOW = 1_790_000_000_000
HOT = HotStatements(sqlite=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/cloud.sqlite3")
    database.migrate()
    yield database
    database.close()


def test_nothing_that_a_batch_asks_reads_a_table_from_end_to_end(database: Database) -> None:
    """Every question of opening and finishing is answered by a whole primary key."""
    messages = [sent_by(name) for name in ("till-1", "till-2", "till-2")]
    asked: list[tuple[str, tuple[object, ...]]] = []
    with database.tenant("sole") as c:

        def note(_c: object, _cursor: object, text: str, parameters: tuple[object, ...], *_: object) -> None:
            asked.append((text, parameters))

        event.listen(c, "before_cursor_execute", note)
        HOT.rows(c, "sole", messages, lock=True)
        HOT.row(c, "sole", "till-1", os.urandom(16))
        HOT.consents(c, "sole", [os.urandom(16), os.urandom(16)])
        HOT.withdrawals(c, "sole", [os.urandom(16), os.urandom(16)])
        HOT.usage(c, "sole", "2026-11-22")
        event.remove(c, "before_cursor_execute", note)
        plans = [c.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in asked]
    assert len(plans) == 5
    for (text, _), plan in zip(asked, plans, strict=True):
        searches = [step[3] for step in plan if " m " in step[3] or "USING" in step[3]]
        assert searches, text
        for search in searches:
            assert "USING INDEX sqlite_autoindex_" in search, (text, search)
            assert ("message_id=?" if "messages" in text else "tenant=? AND ") in search, (text, search)


def test_a_row_is_found_by_register_and_id_together(database: Database) -> None:
    """Of two registers that used one id, each finds its own row."""
    mine, theirs = row_of("till-1"), row_of("till-2")
    theirs = Row("till-2", mine.message_id, theirs.sha256, State.CLAIMED, NOW, 0)
    with database.tenant("sole") as c:
        values = [row_values("sole", row, "frame", 1, late=False) for row in (mine, theirs)]
        assert HOT.add_rows(c, values) == {(row.register, row.message_id) for row in (mine, theirs)}
        assert HOT.row(c, "sole", "till-1", mine.message_id) == mine
        assert HOT.row(c, "sole", "till-2", mine.message_id) == theirs
        assert HOT.row(c, "sole", "till-3", mine.message_id) is None
        assert HOT.row(c, "other", "till-1", mine.message_id) is None


def test_an_end_needs_the_token_of_the_claim(database: Database) -> None:
    """With another token the row stays claimed."""
    row = Row("till-1", os.urandom(16), os.urandom(32), State.CLAIMED, NOW, 0, token=b"t" * 16)
    stored = Row("till-1", row.message_id, row.sha256, State.STORED, NOW, 0, version="v1")
    with database.tenant("sole") as c:
        HOT.add_rows(c, [row_values("sole", row, "frame", 1, late=False)])
        HOT.end(c, "sole", [(stored, b"x" * 16)])
        assert HOT.row(c, "sole", "till-1", row.message_id) == row
        HOT.end(c, "sole", [(stored, b"t" * 16)])
        assert HOT.row(c, "sole", "till-1", row.message_id) == stored


def row_of(register: str) -> Row:
    return Row(register, os.urandom(16), os.urandom(32), State.CLAIMED, NOW, 0, token=b"t" * 16)


def sent_by(register: str) -> VerifiedMessage:
    sender = Sender("sole", register, now_ms=NOW)
    return offer_of(sender, sender.frame(), NOW).message
