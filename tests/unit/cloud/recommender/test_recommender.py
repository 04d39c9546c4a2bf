"""The flow from lease to deletion, over real rows, releases, networks and the guarded decoder."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from cloud.database.schema import jobs
from cloud.intake.errors import NoBlankLeft, PromotionLater
from cloud.intake.values import ObjectPlace, Purpose, UploadProblem, UploadState
from cloud.jobs.values import JobState
from cloud.objects.ports import ObjectsAway
from cloud.recommender.warm_models import BROKEN_FOR_S
from inference import FlavourModel
from inference.context import Context
from inference.loading import load_bytes
from inference.picture import STRICT, PictureDecoder
from tests.builders import hostile_pictures as hostile
from tests.builders.cloud_database import sqlite_database
from tests.builders.recommender_stage import TENANT, RecommenderStage
from tests.builders.release_repository import chain_model

if TYPE_CHECKING:
    from collections.abc import Iterator

PHOTO = hostile.jpeg(hostile.photo(640, 480))


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    with PictureDecoder(STRICT) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def shared(decoder: PictureDecoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecommenderStage]:
    folder = tmp_path_factory.mktemp("recommender")
    with sqlite_database(folder) as database:
        made = RecommenderStage(folder, database, decoder)
        made.repository.add_release(1)
        made.look()
        yield made
        made.close()


@pytest.fixture
def stage(shared: RecommenderStage) -> RecommenderStage:
    shared.forget()
    return shared


@pytest.fixture
def own_stage(
    decoder: PictureDecoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RecommenderStage]:
    """One whose releases a test may change."""
    folder = tmp_path_factory.mktemp("own")
    with sqlite_database(folder) as database:
        made = RecommenderStage(folder, database, decoder)
        yield made
        made.close()


def ready_at_once(stage: RecommenderStage) -> None:
    """Back-offs and leases are over."""
    with stage.database.tenant(TENANT) as connection:
        connection.execute(
            update(jobs).where(jobs.c.tenant == TENANT, jobs.c.state != "dead").values(ready_at_ms=1)
        )


def bytes_left(stage: RecommenderStage) -> list[str]:
    return [one.key for one in stage.pictures.listed()]


def test_a_picture_becomes_three_flavours_and_is_gone(stage: RecommenderStage) -> None:
    """What is recommended is what `inference` says of the same bytes, by the release that is named."""
    request = stage.upload(PHOTO, context={"hour": 15, "shop": "beach"})
    assert stage.serve() == 1
    row = stage.recommendation(request)
    release = chain_model(TENANT).noted("release 1")
    model = FlavourModel(load_bytes(release.manifest, release.network))
    with PictureDecoder(STRICT) as decoder:
        expected = model.recommend(decoder.decode(PHOTO), Context(hour=15, shop="beach"))
    names = [release.manifest.flavours[index].id for index in expected.top3]
    if row.source == "model":
        assert [one["flavour"] for one in row.slate] == names
    assert row.nobody == pytest.approx(expected.nobody)
    assert (row.release, row.model_digest) == (1, stage.repository.digest(1))
    assert row.latency_ms >= 0
    assert stage.row(request).state == UploadState.DONE
    assert stage.row(request).deleted_at_ms is not None
    assert bytes_left(stage) == stage.jobs() == []


@pytest.mark.parametrize(
    ("name", "picture", "reason"),
    [
        ("cut off", PHOTO[: len(PHOTO) // 2], "truncated"),
        ("bytes behind it", PHOTO + b"PK\x03\x04", "trailing-data"),
        ("pixel bomb", hostile.jpeg_with_header_size(9000, 9000), "too-large"),
        ("progressive", hostile.jpeg(progressive=True), "unsupported"),
        ("scan bomb", hostile.jpeg_with_scans(5, progressive=False), "too-many-scans"),
        ("empty comments", hostile.jpeg_with_empty_comments(70_000), "malformed"),
        ("PNG", hostile.png(), "unknown-format"),
        ("no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown-format"),
        ("damaged inside", PHOTO[:400] + bytes(len(PHOTO) - 402) + PHOTO[-2:], None),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
def test_a_hostile_picture_ends_typed_and_harms_no_other(
    stage: RecommenderStage, name: str, picture: bytes, reason: str | None
) -> None:
    """T11: refused with its reason, deleted, told in words; the picture beside it is recommended for."""
    bad, good = stage.upload(picture), stage.upload(PHOTO)
    stage.serve()
    row = stage.row(bad)
    if reason is not None:
        assert (row.state, row.problem) == (UploadState.FAILED, UploadProblem.BAD_PICTURE)
        assert reason in {ending.reason for ending in stage.seen.endings if hasattr(ending, "reason")}
        assert len(row.detail) > 10
    assert row.state in {UploadState.FAILED, UploadState.DONE}
    assert stage.row(good).state == UploadState.DONE
    assert bytes_left(stage) == stage.jobs() == []


def test_other_bytes_than_announced_are_not_looked_at(stage: RecommenderStage) -> None:
    """T21: length and SHA-256 are checked here too: some stores do not."""
    other = bytearray(PHOTO)
    other[200] ^= 1
    changed = stage.upload(PHOTO, body=bytes(other))
    longer = stage.upload(PHOTO, body=PHOTO + b"x")
    shorter = stage.upload(PHOTO, body=PHOTO[:-1])
    stage.serve()
    assert stage.row(changed).problem == UploadProblem.DIGEST_MISMATCH
    assert stage.row(longer).problem == UploadProblem.WRONG_LENGTH
    assert stage.row(shorter).problem == UploadProblem.WRONG_LENGTH
    assert bytes_left(stage) == []


def test_a_picture_that_is_gone_or_overdue_is_told(stage: RecommenderStage) -> None:
    gone, overdue = stage.upload(PHOTO), stage.upload(PHOTO, arrived_at_ms=1)
    stage.pictures.delete(ObjectPlace(TENANT, gone).key)
    stage.serve()
    assert stage.row(gone).problem == stage.row(overdue).problem == UploadProblem.PICTURE_GONE
    assert bytes_left(stage) == []


def test_what_was_taken_back_is_deleted_unread(stage: RecommenderStage) -> None:
    request = stage.upload(PHOTO, state=UploadState.ERASED.value)
    stage.serve()
    assert stage.row(request).state == UploadState.ERASED
    assert bytes_left(stage) == stage.jobs() == []


def test_an_outage_is_waited_out(stage: RecommenderStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away uses up no attempt, however often it is asked."""
    request = stage.upload(PHOTO)
    with monkeypatch.context() as patched:
        patched.setattr(stage.pictures, "get", _raises(ObjectsAway("away")))
        for _ in range(5):
            stage.serve()
            ready_at_once(stage)
    assert stage.row(request).state == UploadState.ARRIVED
    stage.serve()
    assert stage.row(request).state == UploadState.DONE


def test_a_defect_is_tried_three_times_and_set_aside(
    stage: RecommenderStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T19: the upload ends as `repeatedly-failed`, its job waits for operators, the others flow."""
    poison, good = stage.upload(PHOTO[:300] + PHOTO[300:]), stage.upload(PHOTO)
    lease = stage.rows.lease

    def leased(limit: int) -> Any:
        found = lease(limit)
        for one in found:
            if one.lease.job == poison:
                object.__setattr__(one.ticket, "context", None)
        return found

    monkeypatch.setattr(stage.rows, "lease", leased)
    for _ in range(4):
        stage.serve()
        ready_at_once(stage)
    assert stage.row(poison).problem == UploadProblem.REPEATEDLY_FAILED
    assert stage.jobs() == [(poison, JobState.DEAD)]
    assert len(stage.seen.errors) == 3
    assert stage.row(good).state == UploadState.DONE


def test_a_killed_decoder_costs_the_picture_it_had(stage: RecommenderStage, decoder: PictureDecoder) -> None:
    """T11: a decoder that dies is replaced; the upload ends typed, the next one is served."""
    first, second = stage.upload(PHOTO), stage.upload(PHOTO)
    assert decoder.worker_pid is not None
    os.kill(decoder.worker_pid, signal.SIGKILL)
    stage.serve()
    assert {stage.row(first).state, stage.row(second).state} == {UploadState.FAILED, UploadState.DONE}


def test_a_picture_with_consent_is_kept_after_its_answer(stage: RecommenderStage) -> None:
    request = stage.upload(PHOTO, purpose=Purpose.RECOMMEND_AND_IMPROVE.value, consent={"language": "de"})
    stage.serve()
    assert stage.row(request).state == UploadState.DONE
    assert stage.kept.pictures == [(request, (480, 640, 3))]
    assert bytes_left(stage) == stage.jobs() == []


def test_a_picture_that_cannot_be_kept_now_leaves_the_recommendation(stage: RecommenderStage) -> None:
    """The answer is durable before promotion is tried; that is tried again, from the picture itself."""
    request = stage.upload(PHOTO, purpose=Purpose.RECOMMEND_AND_IMPROVE.value, consent={})
    stage.kept.failing = [NoBlankLeft("none"), NoBlankLeft("none")]
    for _ in range(3):
        stage.serve()
        assert stage.row(request).state == UploadState.DONE
        ready_at_once(stage)
    assert [found for found, _ in stage.kept.pictures] == [request]
    assert bytes_left(stage) == stage.jobs() == []


def test_what_is_sealed_needs_its_plaintext_no_more(stage: RecommenderStage) -> None:
    """T26: quota or store let the sealed picture wait; nobody reads and decodes it again and again."""
    request = stage.upload(PHOTO, purpose=Purpose.RECOMMEND_AND_IMPROVE.value, consent={})
    stage.kept.failing = [PromotionLater("the quota of the day is used up")]
    stage.serve()
    assert stage.row(request).state == UploadState.DONE
    assert stage.row(request).deleted_at_ms is not None
    assert bytes_left(stage) == stage.jobs() == stage.seen.errors == []


def test_what_cannot_be_deleted_is_left_to_the_sweeper(
    stage: RecommenderStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = stage.upload(PHOTO)
    monkeypatch.setattr(stage.pictures, "delete_all", _raises(ObjectsAway("away")))
    stage.serve()
    assert stage.row(request).state == UploadState.DONE
    assert stage.row(request).deleted_at_ms is None
    assert stage.seen.left_count == 1


def test_a_row_that_cannot_be_written_takes_no_others_along(
    stage: RecommenderStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T19: a batch that the database refuses is written one by one."""
    bad, good = stage.upload(PHOTO), stage.upload(PHOTO)
    write = stage.rows.write

    def refusing(tenant: str, endings: Any, now_ms: int) -> set[bytes]:
        if any(lease.job == bad for lease, _ in endings):
            raise ValueError("does not fit the column")
        return write(tenant, endings, now_ms)

    monkeypatch.setattr(stage.rows, "write", refusing)
    stage.serve()
    assert stage.row(good).state == UploadState.DONE
    assert stage.row(bad).state == UploadState.ARRIVED


def test_a_stopping_worker_gives_back_what_it_did_not_begin(stage: RecommenderStage) -> None:
    request = stage.upload(PHOTO)
    assert stage.serve(lambda: True) == 1
    assert stage.row(request).state == UploadState.ARRIVED
    (leased,) = stage.rows.lease(1)
    assert leased.lease.attempt == 1


def test_without_a_release_there_is_no_model(own_stage: RecommenderStage) -> None:
    request = own_stage.upload(PHOTO)
    own_stage.serve()
    assert own_stage.row(request).problem == UploadProblem.NO_MODEL
    assert bytes_left(own_stage) == []


def test_the_champion_recommends_and_another_one_takes_over(own_stage: RecommenderStage) -> None:
    """The named champion; where it is withdrawn, the newest release that may be used; without a restart."""
    repository = own_stage.repository
    for release in (1, 2, 3):
        repository.add_release(release, publish=False)
    releases = []
    for champion, withdrawn in ((2, None), (1, None), (None, 1), (None, 3)):
        repository.set_policy(champion=champion)
        if withdrawn is not None:
            repository.withdraw(withdrawn)
        repository.publish()
        own_stage.look()
        request = own_stage.upload(PHOTO)
        own_stage.serve()
        releases.append(own_stage.recommendation(request).release)
    assert releases == [2, 1, 3, 2]
    assert own_stage.models.count == 1


def test_a_network_that_is_not_what_was_signed_recommends_nothing(own_stage: RecommenderStage) -> None:
    """T10: bytes that were changed in the store end as `no-model`; put right, uploads are served soon."""
    own_stage.repository.add_release(1)
    own_stage.look()
    (file,) = own_stage.repository.folder.glob("targets/releases/1/*.model.onnx")
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"\x00")
    request = own_stage.upload(PHOTO)
    own_stage.serve()
    assert own_stage.row(request).problem == UploadProblem.NO_MODEL
    file.write_bytes(good)
    own_stage.seconds += BROKEN_FOR_S
    request = own_stage.upload(PHOTO)
    own_stage.serve()
    assert own_stage.row(request).state == UploadState.DONE


def _raises(error: Exception) -> Any:
    def work(*_: Any) -> Any:
        raise error

    return work
