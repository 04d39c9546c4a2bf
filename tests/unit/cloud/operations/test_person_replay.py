"""The public API's people after a restore: the drill, with somebody who erased everything meanwhile."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from cloud.database.engine import open_database
from cloud.database.schema import (
    api_sessions,
    consents,
    handovers,
    jobs,
    recommendations,
    uploads,
    web_blanks,
    withdrawals,
)
from cloud.errors import BackupError
from cloud.intake.values import Purpose, UploadState
from cloud.operations.backup import back_up
from cloud.operations.person_replay import read_people
from cloud.operations.restore import restore
from cloud.privacy.person_log import PersonEntry, entry_bytes, entry_key, person_digest
from tests.builders.cloud_database import set_up
from tests.builders.web_consent import TENANT, WebConsentStage, picture

if TYPE_CHECKING:
    from pathlib import Path

ANNA, BERT = hashlib.sha256(b"anna").digest(), hashlib.sha256(b"bert").digest()
PROOF = bytes(15) + b"\1"


@pytest.fixture
def stage(tmp_path: Path) -> WebConsentStage:
    """Over the very database that the configuration names, so that it can be backed up."""
    from cloud.config import CloudConfig, MasterKeyConfig

    config = CloudConfig(
        environment="development", state_dir=tmp_path / "state", master_key=MasterKeyConfig(kind="file")
    )
    set_up(config)
    return WebConsentStage(tmp_path, open_database(config.database_url))


def _erased(stage: WebConsentStage, entry: PersonEntry) -> None:
    stage.objects.put(entry_key(entry), entry_bytes(entry), {}, {})


def _restored(stage: WebConsentStage, folder: Path) -> int:
    stage.database.close()
    for file in stage.config.state_dir.glob("cloud.sqlite3*"):
        file.unlink()
    return restore(
        stage.config, stage.objects, folder, stage.time(), actor="operator:ada", force=True
    ).people_erased


def test_what_people_erased_after_the_backup_does_not_come_back(
    stage: WebConsentStage, tmp_path: Path
) -> None:
    """T25: rows and consent end in the restore's own transaction; nobody else's do."""
    hers, his = stage.recommended(ANNA), stage.recommended(BERT)
    single = stage.recommended(BERT)
    for ticket in (hers, his, single):
        stage.promoter()(ticket, picture())
    blanks = {ticket: stage.blank_of(ticket) for ticket in (hers, his, single)}
    back_up(stage.config, tmp_path / "backup", stage.time())
    stage.time.now_ms += 3_600_000
    _erased(stage, PersonEntry(TENANT, PROOF.hex(), stage.time(), person=person_digest(TENANT, ANNA)))
    _erased(stage, PersonEntry(TENANT, "00" * 16, stage.time(), upload=single.request.hex()))
    assert _restored(stage, tmp_path / "backup") == 2
    assert stage.count(uploads, uploads.c.user == ANNA) == 0
    assert stage.count(recommendations) == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        ended = set(connection.execute(select(withdrawals.c.consent)).scalars())
    assert ended == {blanks[hers], blanks[single]}
    assert stage.keeper.erase(TENANT) == 2
    assert stage.versions() == [stage.version_of(his)]


def test_who_came_back_before_the_backup_stays(stage: WebConsentStage, tmp_path: Path) -> None:
    """An erasure of yesterday is in the backup already; what came after it was not meant."""
    _erased(stage, PersonEntry(TENANT, PROOF.hex(), stage.time(), person=person_digest(TENANT, ANNA)))
    stage.time.now_ms += 86_400_000
    stage.recommended(ANNA)
    back_up(stage.config, tmp_path / "backup", stage.time())
    assert _restored(stage, tmp_path / "backup") == 0
    assert stage.count(uploads, uploads.c.user == ANNA) == 1


def test_nobody_comes_in_with_what_was_good_before(stage: WebConsentStage, tmp_path: Path) -> None:
    """T21, T25: no session, no open ticket, no job, and no blank that may have been taken since."""
    open_ticket = stage.recommended(ANNA, purpose=Purpose.RECOMMEND, state=UploadState.ISSUED)
    with stage.database.tenant(TENANT) as connection:
        times = {"created_at_ms": 0, "seen_at_ms": 0, "ends_at_ms": 1 << 40}
        connection.execute(
            insert(api_sessions).values(tenant=TENANT, session=bytes(32), kind="browser", user=ANNA, **times)
        )
    assert stage.in_stock() == 20
    back_up(stage.config, tmp_path / "backup", stage.time())
    _restored(stage, tmp_path / "backup")
    for table in (api_sessions, jobs, web_blanks):
        assert stage.count(table) == 0
    with stage.database.tenant(TENANT, read_only=True) as connection:
        states = dict(connection.execute(select(uploads.c.request, uploads.c.state)).all())
    assert states == {open_ticket.request: "expired"}


def test_a_picture_that_was_kept_since_is_its_uploads_again_or_ends(
    stage: WebConsentStage, tmp_path: Path
) -> None:
    """T25: one whose upload the backup does not know could be taken back by nobody."""
    known = stage.recommended(ANNA)
    back_up(stage.config, tmp_path / "backup", stage.time())
    unknown = stage.recommended(BERT)
    for ticket in (known, unknown):
        stage.promoter()(ticket, picture())
    blank, lost = stage.blank_of(known), stage.blank_of(unknown)
    _restored(stage, tmp_path / "backup")
    assert stage.count(consents) == 2
    assert stage.blank_of(known) == blank
    with stage.database.tenant(TENANT, read_only=True) as connection:
        assert set(connection.execute(select(withdrawals.c.consent)).scalars()) == {lost}


def test_a_yes_on_a_phone_that_the_backup_does_not_know_ends(stage: WebConsentStage, tmp_path: Path) -> None:
    """T25: its page could not take it back; one whose answer is there, and a touch at the till, stay."""
    lost, known, touched = bytes(16), bytes(15) + b"\1", bytes(15) + b"\2"
    with stage.database.tenant(TENANT) as connection:
        for consent, method in ((lost, "phone"), (known, "phone"), (touched, "touch")):
            connection.execute(insert(consents).values(_of_till(consent, method)))
        connection.execute(
            insert(handovers).values(
                tenant=TENANT,
                handover=known,
                register="till-1",
                interaction=known,
                user=ANNA,
                state="sent",
                purposes=["training"],
                notice=bytes(32),
                language="en",
                granted_at_ms=stage.time(),
                expires_at_ms=stage.time(),
            )
        )
    back_up(stage.config, tmp_path / "backup", stage.time())
    _restored(stage, tmp_path / "backup")
    with stage.database.tenant(TENANT, read_only=True) as connection:
        assert list(connection.execute(select(withdrawals.c.consent)).scalars()) == [lost]


def _of_till(consent: bytes, method: str) -> dict[str, object]:
    return {
        "tenant": TENANT,
        "consent": consent,
        "register": "till-1",
        "interaction": consent,
        "purposes": ["training"],
        "notice": bytes(32),
        "language": "en",
        "method": method,
        "granted_at_ms": 0,
        "expires_at_ms": 1 << 42,
        "withdrawal": bytes(32),
        "receipt": b"",
        "received_at_ms": 0,
    }


def test_a_log_that_cannot_be_read_stops_the_restore(stage: WebConsentStage) -> None:
    """T25: an erasure might be forgotten; also one that another chain's folder holds."""
    stage.objects.put(f"erasure-log-people/{TENANT}/2026/11/x.json", b"{}", {}, {})
    with pytest.raises(BackupError, match="cannot be read"):
        list(read_people(stage.objects))
    entry = PersonEntry("other", PROOF.hex(), 1, person=person_digest("other", ANNA))
    (version,) = stage.objects.versions("erasure-log-people/")
    stage.objects.delete(version.key, version.version)
    stage.objects.put(f"erasure-log-people/{TENANT}/2026/11/y.json", entry_bytes(entry), {}, {})
    with pytest.raises(BackupError, match="another chain"):
        list(read_people(stage.objects))
