"""Erasure: nothing of a frame is left, in every order of things, and whatever dies in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import Version
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.erasure_plan import BACKUP_KEPT_MS, Source, Step, Withdrawal, proof_of
from cloud.privacy.errors import KeyGone, OpeningRefused
from cloud.privacy.opening import Reader
from tests.builders.privacy_stage import Given, Stage
from tests.builders.wire_messages import PICTURE, TENANT

READER = Reader("operator:test", "a test")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path)
    yield built
    built.close()


def _withdrawal(stage: Stage, given: Given) -> Withdrawal:
    row = stage.records.withdrawal(TENANT, given.consent)
    assert row is not None
    return row


def _end(stage: Stage, given: Given, source: Source = Source.OPERATOR) -> None:
    assert stage.records.withdraw(TENANT, given.consent, source, stage.time(), actor="operator:test")


def test_erasing_takes_log_key_versions_and_leaves_a_proof(stage: Stage) -> None:
    """T25: the steps in their order; afterwards nobody opens the frame and no version is left."""
    given = stage.consent()
    stage.receive(given)
    assert stage.opener.open(stage.frame(given), READER) == PICTURE
    _end(stage, given)
    steps = [step for step, _ in stage.eraser.erase(TENANT, [_withdrawal(stage, given)])]
    assert steps == [
        Step.LOGGED,
        Step.KEY_DESTROYED,
        Step.KEY_MARKED,
        Step.VERSION_DELETED,
        Step.ERASED,
    ]
    row = _withdrawal(stage, given)
    proof = proof_of(row)
    assert stage.versions(given) == []
    assert stage.logged() == [f"erasure-log/{TENANT}/2026/09/{given.consent.hex()}.json"]
    assert proof.last_backup_gone_ms == proof.online_copies_gone_ms + BACKUP_KEPT_MS
    assert [entry["detail"] for entry in stage.audited("consent.erased")] == [proof.plain()]
    assert stage.frame(given).erased_at_ms is not None
    with pytest.raises(OpeningRefused):
        stage.opener.open(stage.frame(given), READER)


def test_a_death_between_any_two_steps_loses_nothing(stage: Stage) -> None:
    """T25: stopped after each number of steps and begun again, the end is the same and the proof is one."""
    for died_after in range(12):
        first, second = stage.consent(), stage.consent()
        for given in (first, second):
            stage.receive(given)
            stage.put(given)  # a version without a row: an upload whose collector died
            _end(stage, given)
        proofs = len(stage.audited("consent.erased"))
        logged = len(stage.logged())
        running = stage.eraser.erase(TENANT, stage.records.unfinished(TENANT, 10))
        for _ in range(died_after):
            next(running)
        running.close()
        stage.time.now_ms += 1000
        for _ in stage.eraser.erase(TENANT, stage.records.unfinished(TENANT, 10)):
            pass
        for given in (first, second):
            assert stage.versions(given) == []
            assert _withdrawal(stage, given).erased
            with pytest.raises(KeyGone):
                stage.vault.unseal(TENANT, given.consent, bytes(100), b"")
        assert len(stage.audited("consent.erased")) == proofs + 2
        assert len(stage.logged()) == logged + 2, "the log has one version of each entry"


def test_the_first_instants_stand(stage: Stage) -> None:
    """A repeated step does not move the proof's times."""
    given = stage.consent()
    stage.receive(given)
    _end(stage, given)
    row = _withdrawal(stage, given)
    list(stage.eraser.erase(TENANT, [row]))
    before = _withdrawal(stage, given)
    stage.time.now_ms += 5000
    list(stage.eraser.erase(TENANT, [row]))  # another keeper, with the row as it was
    assert _withdrawal(stage, given) == before
    assert len(stage.audited("consent.erased")) == 1


def test_frames_of_another_consent_in_the_same_object_stay(stage: Stage) -> None:
    """Two consents of one interaction: versions of the other one stay and open, with a row and without."""
    gone = stage.consent()
    kept = stage.consent(interaction=gone.interaction)
    stage.receive(gone)
    version = stage.receive(kept)
    late = stage.put(kept)
    _end(stage, gone)
    list(stage.eraser.erase(TENANT, [_withdrawal(stage, gone)]))
    assert set(stage.versions(kept)) == {version, late}
    assert stage.opener.open(stage.frame(kept), READER) == PICTURE


def test_a_longer_key_that_begins_alike_is_another_object(stage: Stage) -> None:
    given = stage.consent()
    stage.receive(given)
    other = stage.objects.put(f"{stage.frame(given).object_key}-other", given.message, {}, {})
    _end(stage, given)
    list(stage.eraser.erase(TENANT, [_withdrawal(stage, given)]))
    assert other in {found.version for found in stage.objects.versions("frames/")}


def test_a_consent_that_nobody_knows_is_erased_too(stage: Stage) -> None:
    """T25: the withdrawal comes before anything else: its key is destroyed, the frame never opens."""
    given = stage.consent()
    _end(stage, given)
    list(stage.eraser.erase(TENANT, stage.records.unfinished(TENANT, 10)))
    assert proof_of(_withdrawal(stage, given)).versions_deleted == 0
    stage.receive(given)  # were the collector to take it all the same
    with pytest.raises(OpeningRefused):
        stage.opener.open(stage.frame(given), READER)
    with pytest.raises(KeyGone):
        stage.vault.unseal(TENANT, given.consent, bytes(100), b"")


class _Vanishing(MemoryStore):
    """A store in which a version is deleted between listing and reading."""

    def versions(self, prefix: str) -> Iterator[Version]:
        for found in list(super().versions(prefix)):
            self.delete(found.key, found.version)
            yield found


def test_a_sweeper_that_is_faster_is_no_error(tmp_path: Path) -> None:
    stage = Stage(tmp_path, objects=_Vanishing(lambda: 0))
    given = stage.consent()
    stage.receive(given, frame=False)
    stage.put(given)
    _end(stage, given)
    list(stage.eraser.erase(TENANT, [_withdrawal(stage, given)]))
    assert _withdrawal(stage, given).versions_deleted == 0
    stage.close()


def test_nothing_of_the_picture_is_left_in_any_file(tmp_path: Path) -> None:
    """T26: neither the databases' files nor the bucket hold a byte of the picture in the clear, ever."""
    from cloud.operations.setup import prepare_database
    from cloud.privacy.key_schema import KEYS

    url = f"sqlite:///{tmp_path}/keys.sqlite3"
    prepare_database(url, None, KEYS)
    vault = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    objects = MemoryStore(lambda: 0)
    stage = Stage(tmp_path, vault=vault, objects=objects)
    given = stage.consent()
    stage.receive(given)
    assert stage.opener.open(stage.frame(given), READER) == PICTURE
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    bucket = b"".join(objects.get(one.key, one.version).body for one in objects.versions(""))
    everything += bucket
    assert given.consent in everything, "the search finds what is there"
    assert b"\xff\xd8\xff" not in bucket
    assert PICTURE[200:260] not in everything
    assert PICTURE[:20] not in everything
    stage.close()
    vault.close()
