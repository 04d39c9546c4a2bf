"""A frame that is being finished while its consent is withdrawn: two connections, SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from cloud.collector.adapters import sql_ledger
from cloud.collector.adapters.sql_ledger import SqlLedger
from cloud.collector.values import Claim, Ending, Repeat, Row, State
from cloud.database import schema
from cloud.privacy import records as keeper_records
from cloud.privacy.erasure_plan import Source
from cloud.privacy.records import Records
from tests.builders.cloud_database import postgres_service, sqlite_database
from tests.builders.frame_sender import Sender, Sent
from tests.builders.ledgers import decide_at, enrol, offer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud.collector.values import Offer
    from cloud.database.engine import Database

NOW = 1_790_000_000_000


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        built = sqlite_database(tmp_path)
    else:
        built = postgres_service(request.getfixturevalue("postgres_database"))
    yield built
    built.close()


class Race:
    """One claimed frame, and two who would end it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sender = Sender()
        self.tenant = self.sender.tenant
        enrol(database, self.sender)
        self.sent: Sent = self.sender.frame()
        self.offer = offer_of(self.sender, self.sent, NOW)
        self.claim = self._open(self.offer).ruling
        assert isinstance(self.claim, Claim)
        self.records = Records(database)
        self.erasure_sees: dict[str, bytes] | None = None

    def _open(self, offer: Offer) -> Any:
        ledger = SqlLedger(self.database)
        try:
            (opening,) = asyncio.run(ledger.open(self.tenant, [offer], decide_at(NOW), NOW))
        finally:
            ledger.close()
        return opening

    def again(self) -> Any:
        """What its sender is told who has not heard the receipt."""
        return self._open(offer_of(self.sender, self.sent, NOW)).ruling

    def finish(self) -> Row:
        ledger = SqlLedger(self.database)
        assert isinstance(self.claim, Claim)
        try:
            ending = Ending(self.offer, self.claim, "v1")
            (row,) = asyncio.run(ledger.finish(self.tenant, [ending], NOW))
        finally:
            ledger.close()
        assert row is not None
        return row

    def withdraw(self, who: str) -> None:
        """By its register, or by the customer; then the keeper looks what there is to erase."""
        if who == "register":
            self._open(offer_of(self.sender, self.sender.withdrawal(self.sent.consent), NOW))
        else:
            self.records.withdraw(self.tenant, self.sent.consent, Source.CUSTOMER, NOW, actor="c")
        assert isinstance(self.claim, Claim)
        self.erasure_sees = dict(self.records.versions_of(self.tenant, self.claim.object_key))

    def ended_or_waiting(self, thread: threading.Thread) -> None:
        """Return when it is through, or a lock holds it: on SQLite that of the one writer, which we have."""
        while thread.is_alive() and not self.database.is_sqlite and not self._somebody_waits():
            thread.join(0.01)

    def _somebody_waits(self) -> bool:
        with self.database.system(read_only=True) as connection:
            waiting = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()
        return bool(waiting)


def meanwhile(race: Race, work: Callable[[], object], threads: list[threading.Thread]) -> None:
    """Start it in a thread of its own, and go on when it has ended or waits for us."""
    if not threads:
        threads.append(threading.Thread(target=work))
        threads[0].start()
        race.ended_or_waiting(threads[0])


@pytest.mark.parametrize("who", ["register", "customer"])
def test_a_withdrawal_while_a_frame_is_finished(
    database: Database, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """T25: it comes after the frame's last look at withdrawals: the erasure that follows sees the frame."""
    race, threads = Race(database), list[threading.Thread]()
    row_ended = sql_ledger.row_ended

    def hooked(*arguments: Any, **named: Any) -> Row:
        meanwhile(race, lambda: race.withdraw(who), threads)
        return row_ended(*arguments, **named)

    monkeypatch.setattr(sql_ledger, "row_ended", hooked)
    assert race.finish().state is State.STORED
    threads[0].join(30)
    assert race.erasure_sees == {"v1": race.sent.consent}


def test_a_frame_that_is_finished_while_its_consent_is_withdrawn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T25: the withdrawal is written and not committed: the frame waits for it, and is gone."""
    race, threads, rows = Race(database), list[threading.Thread](), list[Row]()
    write_audit = keeper_records.write_audit

    def hooked(*arguments: Any, **named: Any) -> None:
        meanwhile(race, lambda: rows.append(race.finish()), threads)
        write_audit(*arguments, **named)

    monkeypatch.setattr(keeper_records, "write_audit", hooked)
    race.withdraw("customer")
    threads[0].join(30)
    assert [row.state for row in rows] == [State.GONE]


def test_two_withdrawals_of_many_consents_do_not_wait_for_each_other(database: Database) -> None:
    """Locks are taken in one order, whatever the order of the messages."""
    race = Race(database)
    consents = [bytes([number]) * 16 for number in range(40)]
    offers = [offer_of(race.sender, race.sender.withdrawal(consent), NOW) for consent in consents]
    again = [offer_of(race.sender, race.sender.withdrawal(consent), NOW) for consent in reversed(consents)]

    async def both() -> list[Any]:
        ledgers = [SqlLedger(database), SqlLedger(database)]
        opening = (
            ledger.open(race.tenant, batch, decide_at(NOW), NOW)
            for ledger, batch in zip(ledgers, (offers, again), strict=True)
        )
        try:
            return await asyncio.gather(*opening)
        finally:
            for ledger in ledgers:
                ledger.close()

    assert [len(openings) for openings in asyncio.run(both())] == [40, 40]


def test_an_erased_frame_that_is_sent_again_is_gone(database: Database) -> None:
    """T25: its receipt was lost; after the erasure the same message is not answered `stored`."""
    race = Race(database)
    race.finish()
    race.withdraw("customer")
    race.records.mark_key_destroyed(race.tenant, race.sent.consent, NOW)
    race.records.mark_erased(race.tenant, race.sent.consent, 1, NOW)
    ruling = race.again()
    assert isinstance(ruling, Repeat)
    assert (ruling.row.state, ruling.row.version) == (State.GONE, None)
    with database.tenant(race.tenant, read_only=True) as connection:
        found = connection.execute(schema.messages.select()).all()
    assert {row.message_id: row.state for row in found} == {race.sent.message_id: "gone"}
