"""What the keeper does to the cloud's database, on SQLite and on PostgreSQL with its row-level security."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.operations.frames import FrameFilter, find_frame, list_frames
from cloud.operations.setup import prepare_database
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.erasure_plan import TELL_AGAIN_MS, Source, proof_of
from cloud.privacy.errors import KeyGone, OpeningRefused, UnknownFrame
from cloud.privacy.key_schema import KEYS
from cloud.privacy.opening import Reader
from tests.builders.cloud_database import add_tenants, postgres_service
from tests.builders.privacy_stage import DAY_MS, Stage
from tests.builders.wire_messages import NOW_MS, PICTURE, REGISTER, TENANT
from wire_protocol.messages import EraseDown

READER = Reader("operator:test", "a test")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    database = None
    if request.param == "postgres":
        database = postgres_service(request.getfixturevalue("postgres_database"))
    url = f"sqlite:///{tmp_path}/keys.sqlite3"
    prepare_database(url, None, KEYS)
    vault = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    built = Stage(tmp_path, vault=vault, database=database)
    yield built
    built.close()
    vault.close()


def test_blanks_withdrawal_erasure_proof(stage: Stage) -> None:
    """T25: from the report to the proof, every statement of the keeper on this database."""
    assert stage.keeper.report(*stage.report(left=0, wanted=20)) == 20
    assert stage.keeper.report(*stage.report(left=0, wanted=20)) == 0
    stage.link.payloads()
    given, kept = stage.consent(), stage.consent()
    for one in (given, kept):
        stage.receive(one)
        assert stage.opener.open(stage.frame(one), READER) == PICTURE
    digest = given.granted.withdrawal
    assert set(stage.records.consents_of_code(TENANT, digest)) == {given.consent, kept.consent}
    assert stage.records.withdraw(TENANT, given.consent, Source.CUSTOMER, NOW_MS, actor="c", purpose="p")
    assert not stage.records.withdraw(TENANT, given.consent, Source.OPERATOR, NOW_MS, actor="o")
    assert len(stage.audited("consent.ended")) == 1
    assert [row.consent for row in stage.records.unfinished(TENANT, 10)] == [given.consent]
    assert stage.keeper.erase(TENANT) == 1
    assert stage.link.payloads() == [EraseDown((given.consent,))]
    row = stage.records.withdrawal(TENANT, given.consent)
    assert row is not None
    assert stage.audited("consent.erased")[0]["detail"] == proof_of(row).plain()
    with pytest.raises(OpeningRefused):
        stage.opener.open(stage.frame(given), READER)
    with pytest.raises(KeyGone):
        stage.vault.unseal(TENANT, given.consent, bytes(100), b"")
    assert stage.opener.open(stage.frame(kept), READER) == PICTURE
    stage.time.now_ms += TELL_AGAIN_MS
    stage.keeper.report(*stage.report())
    assert stage.link.payloads() == [EraseDown((given.consent,))]


def test_what_is_over_ends_by_itself(stage: Stage) -> None:
    given, kept = stage.consent(lasts_ms=DAY_MS), stage.consent()
    for one in (given, kept):
        stage.receive(one)
    stage.time.now_ms += DAY_MS
    assert (stage.keeper.retention(TENANT), stage.keeper.erase(TENANT)) == (1, 1)
    assert (stage.keeper.retention(TENANT), stage.keeper.erase(TENANT)) == (0, 0)
    assert [row.message_id for row in list_frames(stage.database, TENANT, FrameFilter(), 9)] == [
        kept.message_id
    ]


def test_frames_are_listed_page_by_page_in_their_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from cloud.operations import frames

    monkeypatch.setattr(frames, "PAGE", 3)
    given = []
    for number in range(8):
        stage.time.now_ms = NOW_MS + number // 3  # some at the same time
        given.append(stage.consent())
        stage.receive(given[-1])

    def listed(wanted: FrameFilter, limit: int = 100) -> list[bytes]:
        return [row.message_id for row in list_frames(stage.database, TENANT, wanted, limit)]

    everything = listed(FrameFilter())
    assert sorted(everything) == sorted(one.message_id for one in given)
    assert listed(FrameFilter(), 5) == everything[:5]
    assert listed(FrameFilter(since_ms=NOW_MS + 1, until_ms=NOW_MS + 2)) == everything[3:6]
    assert listed(FrameFilter(register=REGISTER, consent=given[0].consent)) == [given[0].message_id]
    assert listed(FrameFilter(register="till-99")) == []


def test_another_tenant_sees_and_ends_nothing(stage: Stage) -> None:
    """T7: the tenant stands in every statement: another chain finds no frame, key, code or register."""
    add_tenants(stage.database, "sued")
    given = stage.consent()
    stage.receive(given)
    stage.records.withdraw("sued", given.consent, Source.OPERATOR, NOW_MS, actor="o")
    stage.keeper.erase("sued")
    assert stage.records.object_keys("sued", given.consent) == []
    assert stage.records.consents_of_code("sued", given.granted.withdrawal) == []
    assert stage.records.register_state("sued", REGISTER) is None
    assert stage.records.register_keys("sued", REGISTER) == {}
    assert list(list_frames(stage.database, "sued", FrameFilter(), 9)) == []
    with pytest.raises(UnknownFrame):
        find_frame(stage.database, "sued", given.message_id)
    assert stage.opener.open(stage.frame(given), READER) == PICTURE
