"""Certificates, revoked ones and rights, round after round."""

import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from cloud.broker.configuration import copy_certificates
from cloud.broker.ports import SyncReport
from cloud.database.engine import Database
from cloud.enrolment import register_rows
from cloud.enrolment.certificates import DAY_MS, Life
from cloud.enrolment.pki_folder import PkiFolder
from cloud.enrolment.registers import expel, revoke_register
from cloud.enrolment.upkeep import Upkeep
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.memory_broker import MemoryBroker
from wire_protocol.topics import Identity

TILL = Identity("gelato", "till-1")
HOSTS = ("localhost",)


@pytest.fixture
def upkeep(tmp_path: Path) -> Upkeep:
    database = sqlite_database(tmp_path)
    add_tenants(database, "gelato")
    _enrolled(database)
    pki = PkiFolder(tmp_path)
    pki.prepare(HOSTS, NOW_MS)
    folder = tmp_path / "broker"
    folder.mkdir(mode=0o700)
    copy_certificates(folder, pki)
    return Upkeep(database, pki, MemoryBroker(), folder, HOSTS)


def _enrolled(database: Database, days: int = 90) -> None:
    with database.tenant("gelato") as connection:
        register_rows.add_register(connection, TILL, "north", NOW_MS)
        register_rows.mark_enrolled(connection, TILL, NOW_MS)
        register_rows.add_certificate(connection, TILL, "abc", Life(NOW_MS, NOW_MS + days * DAY_MS))


def test_a_revocation_reaches_the_brokers_folder(upkeep: Upkeep) -> None:
    """T1: also where the command that revoked could not write there."""
    upkeep.keep_certificates(NOW_MS)
    before = (upkeep.broker_folder / "registers.crl").read_bytes()
    revoke_register(upkeep.database, TILL, NOW_MS, actor="test")
    upkeep.keep_certificates(NOW_MS)
    assert upkeep.pki.revoked_serials() == {"abc"}
    after = (upkeep.broker_folder / "registers.crl").read_bytes()
    assert after != before
    upkeep.keep_certificates(NOW_MS)
    assert (upkeep.broker_folder / "registers.crl").read_bytes() == after


def test_rights_follow_the_database(upkeep: Upkeep, caplog: pytest.LogCaptureFixture) -> None:
    """Each change is logged."""
    caplog.set_level(logging.INFO)
    upkeep.keep_rights()
    assert isinstance(upkeep.broker, MemoryBroker)
    assert str(TILL) in upkeep.broker.rights.clients
    revoke_register(upkeep.database, TILL, NOW_MS, actor="test")
    upkeep.keep_rights()
    assert str(TILL) not in upkeep.broker.rights.clients
    assert caplog.messages.count("rights.changed") == 4


def test_a_register_that_is_revoked_during_a_comparison_keeps_nothing(upkeep: Upkeep) -> None:
    """T1: the list that was read before is not the last word."""

    class Slow(MemoryBroker):
        def sync(self, identities: Iterable[Identity]) -> SyncReport:
            revoke_register(upkeep.database, TILL, NOW_MS, actor="test")
            return super().sync(identities)

    upkeep.broker = Slow()
    upkeep.keep_rights()
    assert str(TILL) not in upkeep.broker.rights.clients


def test_alarms_are_told_once_for_each_degree(upkeep: Upkeep, caplog: pytest.LogCaptureFixture) -> None:
    """T20: a register at 30, 14 and 3 days and after its end; not in every round."""
    caplog.set_level(logging.WARNING)
    told = []
    for days_left in (31, 30, 29, 14, 3, 2, 0, -1):
        upkeep.keep_certificates(NOW_MS + (90 - days_left) * DAY_MS)
        fields = [getattr(record, "topscoop_fields", {}) for record in caplog.records]
        told.append([one["urgency"] for one in fields if one.get("name") == str(TILL)])
        caplog.clear()
    assert told == [[], ["soon"], [], ["near"], ["urgent"], [], ["expired"], []]


def test_a_renewed_server_certificate_is_said_and_copied(upkeep: Upkeep) -> None:
    """T20: at two thirds of its life, to the broker too."""
    assert not upkeep.keep_certificates(NOW_MS).server_renewed
    seen = upkeep.keep_certificates(NOW_MS + 250 * DAY_MS)
    assert seen.server_renewed
    copied = (upkeep.broker_folder / "server.crt").read_bytes()
    assert copied == upkeep.pki.server_files().certificate.read_bytes()


def test_expelling_drops_sessions_twice(upkeep: Upkeep) -> None:
    """T1: at once, and again when the list of revoked ones is in force."""
    broker, pauses = upkeep.broker, []
    assert isinstance(broker, MemoryBroker)
    assert expel(broker, [TILL], pauses.append) == ""
    assert broker.expelled == [str(TILL)] * 2
    assert sum(pauses) < 5
    broker.away = True
    assert "away" in expel(broker, [TILL], pauses.append)


def test_a_list_is_never_made_shorter_by_an_older_reading(
    upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1: a command that revokes between reading the database and writing the list is not undone."""
    revoke_register(upkeep.database, TILL, NOW_MS, actor="test")
    second, write = Identity("gelato", "till-2"), PkiFolder.write_revocation_list

    def while_another_revokes(pki: PkiFolder, revoked: list[tuple[str, int]], now_ms: int) -> bytes:
        monkeypatch.undo()
        with upkeep.database.tenant("gelato") as connection:
            register_rows.add_register(connection, second, "north", NOW_MS)
            register_rows.add_certificate(connection, second, "def", Life(NOW_MS, NOW_MS + DAY_MS))
        revoke_register(upkeep.database, second, NOW_MS, actor="test")
        write(pki, [("abc", NOW_MS), ("def", NOW_MS)], NOW_MS)
        return write(pki, revoked, now_ms)

    monkeypatch.setattr(PkiFolder, "write_revocation_list", while_another_revokes)
    upkeep.keep_certificates(NOW_MS)
    assert upkeep.pki.revoked_serials() == {"abc", "def"}
