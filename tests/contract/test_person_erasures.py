"""What a person has erased is gone: rows, jobs, sealed pictures, ways in; on both databases."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from cloud.database.schema import (
    TENANT_TABLES,
    api_sessions,
    consents,
    device_grants,
    frames,
    handovers,
    jobs,
    recommendations,
    uploads,
    web_blanks,
    withdrawals,
)
from cloud.intake.values import Purpose, UploadState
from cloud.jobs.queue import JobQueue, enqueue
from cloud.jobs.values import Queue
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectsAway
from cloud.privacy.erasure_plan import BACKUP_KEPT_MS
from cloud.privacy.errors import KeyGone
from cloud.privacy.person_care import LOG_KEPT_MS, PersonCare
from cloud.privacy.person_log import parse_entry, person_digest
from cloud.privacy.person_records import HANDOVER_KEPT_MS, PersonProof, read_proof
from cloud.public_api.adapters.exporting import Export
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.erasing import Erasing, proof_of_upload
from cloud.public_api.problems import Problem
from tests.builders.cloud_database import postgres_service
from tests.builders.web_consent import TENANT, Ticket, WebConsentStage, picture

ANNA, BERT = hashlib.sha256(b"anna").digest(), hashlib.sha256(b"bert").digest()
PLAINTEXT_MS = 120_000


class Intake:
    """The bucket of uploads; remembers what was deleted."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.away = False

    def delete(self, key: str) -> None:
        if self.away:
            raise ObjectsAway("away")
        self.deleted.append(key)


class Stage(WebConsentStage):
    """With the desk of the public API that erases."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.intake = Intake()
        self.care = PersonCare(self.database, self.objects, self.time)
        self.numbers = 0

    @property
    def erasing(self) -> Erasing:
        return Erasing(
            self.database,
            lambda: self.objects,
            self.intake,  # type: ignore[arg-type] # it only deletes
            self.time,
            PLAINTEXT_MS,
            self.random,
        )

    def random(self, size: int) -> bytes:
        self.numbers += 1
        return self.numbers.to_bytes(size)

    def proof(self, proof: bytes) -> PersonProof:
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = read_proof(connection, TENANT, proof, self.time())
        assert found is not None
        return found

    def keep(self, user: bytes) -> Ticket:
        """A picture of this person's, kept."""
        ticket = self.recommended(user)
        self.promoter()(ticket, picture())
        return ticket

    def session(self, user: bytes) -> None:
        """A way in."""
        self.numbers += 1
        at = {"created_at_ms": 0, "seen_at_ms": 0, "ends_at_ms": self.time() + 1000}
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(api_sessions).values(
                    tenant=TENANT, session=self.numbers.to_bytes(32), kind="browser", user=user, **at
                )
            )
            connection.execute(
                insert(device_grants).values(
                    tenant=TENANT,
                    device_code=self.numbers.to_bytes(32),
                    user_code=self.numbers.to_bytes(32),
                    state="approved",
                    user=user,
                    expires_at_ms=self.time() + 1000,
                )
            )

    def hand_over(self, user: bytes, *, state: str = "sent") -> bytes:
        """A yes on a phone for a picture at a till; its interaction."""
        self.numbers += 1
        handover = self.numbers.to_bytes(16)
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(handovers).values(
                    tenant=TENANT,
                    handover=handover,
                    register="till-07",
                    interaction=handover,
                    user=user,
                    state=state,
                    purposes=["training"],
                    notice=bytes(32),
                    language="de",
                    granted_at_ms=self.time(),
                    expires_at_ms=self.time() + 60_000,
                )
            )
        return handover

    def arrives(self, interaction: bytes) -> bytes:
        """The consent that the register made of it reaches the cloud."""
        (key,) = self.vault.issue(TENANT, "till-07", 1, self.time(), self.time() + 10**10)
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(consents).values(
                    tenant=TENANT,
                    consent=key.blank,
                    register="till-07",
                    interaction=interaction,
                    purposes=["training"],
                    notice=bytes(32),
                    language="de",
                    method="phone",
                    granted_at_ms=self.time(),
                    expires_at_ms=self.time() + 10**10,
                    withdrawal=bytes(32),
                    receipt=b"receipt",
                    received_at_ms=self.time(),
                )
            )
        return key.blank


def caller(user: bytes = ANNA) -> Caller:
    return Caller(TENANT, user, CallerKind.BROWSER)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    database = None
    if request.param == "postgres":
        database = postgres_service(request.getfixturevalue("postgres_database"))
    built = Stage(tmp_path, database)
    yield built
    built.close()


def test_everything_of_a_person_goes_and_nothing_of_anybody_else(stage: Stage) -> None:
    """T25, T26: every table that knows a person; the proof counts, and names nobody."""
    kept = stage.keep(ANNA)
    issued = stage.recommended(ANNA, purpose=Purpose.RECOMMEND, state=UploadState.ARRIVED)
    others = stage.keep(BERT)
    with stage.database.tenant(TENANT) as connection:
        enqueue(connection, TENANT, Queue.RECOMMEND, issued.request, stage.time())
        connection.execute(
            update(recommendations)
            .where(recommendations.c.request == kept.request)
            .values(outcome={"lines": []}, outcome_at_ms=stage.time())
        )
    interaction = stage.hand_over(ANNA)
    handed = stage.arrives(interaction)
    stage.session(ANNA)
    stage.session(BERT)
    blank = stage.blank_of(kept)
    assert blank is not None
    proof = stage.erasing.person(caller())
    for table in TENANT_TABLES:
        if "user" in table.c:
            assert stage.count(table, table.c.user == ANNA) == 0, table.name
    assert stage.count(jobs) == 0
    assert len(stage.intake.deleted) == 2
    found = stage.proof(proof)
    assert found.counts == {
        "uploads": 2,
        "recommendations": 1,
        "outcomes": 1,
        "consents": 2,
        "sessions": 2,
    }
    assert not found.progress.done
    assert found.progress.waiting == 2
    # The keeper goes on as for every consent.
    assert stage.keeper.erase(TENANT) == 2
    for one, of in ((blank, "public-api"), (handed, "till-07")):
        with pytest.raises(KeyGone):
            stage.vault.unseal(TENANT, one, b"", b"")
        assert stage.vault.register_of(TENANT, one) in {of, None}
    assert stage.versions() == [stage.version_of(others)]
    assert stage.opened(others)
    asked_ms = stage.time()
    assert stage.care.erasures(TENANT) == 0  # plaintext may lie in the intake bucket for two minutes
    stage.time.now_ms += PLAINTEXT_MS
    assert stage.care.erasures(TENANT) == 1
    done = stage.proof(proof).progress
    assert (done.nobody_opens_since_ms, done.online_copies_gone_ms) == (asked_ms, asked_ms + PLAINTEXT_MS)
    assert done.last_backup_gone_ms == asked_ms + PLAINTEXT_MS + BACKUP_KEPT_MS
    with stage.database.tenant(TENANT, read_only=True) as connection:
        from cloud.database.schema import erasure_proofs

        (row,) = connection.execute(select(erasure_proofs)).all()
    assert row.pending is None
    assert stage.count(uploads) == stage.count(recommendations) == 1


def test_the_log_comes_first_and_ends_with_the_last_backup(stage: Stage) -> None:
    """T25: without it nothing is erased; it holds a digest, and no pseudonym."""
    stage.recommended(ANNA)
    real, away = stage.objects, MemoryStore(stage.time)

    def fails(*_: Any) -> str:
        raise ObjectsAway("away")

    away.put = fails  # type: ignore[assignment, method-assign]
    stage.objects = away
    with pytest.raises(Problem, match="not-ready"):
        stage.erasing.person(caller())
    assert stage.count(uploads, uploads.c.user == ANNA) == 1
    stage.objects = real
    proof = stage.erasing.person(caller())
    (version,) = real.versions("erasure-log-people/")
    body = real.get(version.key, version.version).body
    assert ANNA.hex().encode() not in body
    entry = parse_entry(body)
    assert (entry.person, entry.proof) == (person_digest(TENANT, ANNA), proof.hex())
    assert stage.care.log(TENANT) == 0
    stage.time.now_ms += LOG_KEPT_MS + 1
    assert stage.care.log(TENANT) == 1
    assert list(real.versions("erasure-log-people/")) == []


def test_one_upload_is_taken_back_once_or_twice(stage: Stage) -> None:
    """Its ticket says that it was erased; nobody else's can be; the proof is the same each time."""
    kept = stage.keep(ANNA)
    other = stage.recommended(ANNA)
    with pytest.raises(Problem, match="not-found"):
        stage.erasing.upload(caller(BERT), kept.request)
    proofs = {stage.erasing.upload(caller(), kept.request) for _ in range(2)}
    assert proofs == {proof_of_upload(TENANT, kept.request)}
    assert stage.proof(proofs.pop()).counts["consents"] == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        states = dict(connection.execute(select(uploads.c.request, uploads.c.state)).all())
    assert states == {kept.request: "erased", other.request: "done"}
    assert stage.count(recommendations) == 1
    assert stage.keeper.erase(TENANT) == 1
    assert stage.versions() == []
    stage.promoter()(kept, picture())
    assert stage.versions() == []


def test_a_store_that_is_away_does_not_keep_the_rows(stage: Stage) -> None:
    """The plaintext goes with the intake's next look; the proof waits for it."""
    stage.recommended(ANNA)
    stage.intake.away = True
    proof = stage.erasing.person(caller())
    assert stage.count(uploads) == 0
    assert not stage.proof(proof).progress.done


def test_a_consent_that_comes_after_its_person_left_is_ended(stage: Stage) -> None:
    """T25: a register that was offline; its hand-over waits without the person, and then no longer."""
    here, never = stage.hand_over(ANNA), stage.hand_over(ANNA, state="given")
    proof = stage.erasing.person(caller())
    assert stage.proof(proof).progress.waiting == 2
    assert stage.count(handovers, handovers.c.state == "withdrawn", handovers.c.user == bytes(32)) == 2
    consent = stage.arrives(here)
    assert stage.care.erasures(TENANT) == 1
    assert stage.keeper.erase(TENANT) == 1
    with pytest.raises(KeyGone):
        stage.vault.unseal(TENANT, consent, b"", b"")
    stage.care.erasures(TENANT)
    assert stage.count(handovers) == 1
    assert never != here
    stage.time.now_ms += HANDOVER_KEPT_MS + 60_001
    assert stage.care.erasures(TENANT) == 1
    assert stage.count(handovers) == 0
    assert stage.proof(proof).progress.done


# ---- T25: an erasure between any two steps of what goes on at the same time -------------------------------

Steps = list[tuple[str, Callable[..., Any]]]


@pytest.mark.parametrize("at", range(5))
def test_an_erasure_between_any_two_steps_of_a_promotion_leaves_nothing(stage: Stage, at: int) -> None:
    """T25: before the blank, before the sealing, before the deposit, before its end, after all."""
    ticket = stage.recommended(ANNA)
    promoter = stage.promoter()
    rows: Any = promoter._rows
    steps: Steps = [
        ("take", rows.take),
        ("save", rows.save),
        ("deposit", promoter._deposit),
        ("end", rows.end),
    ]
    proofs: list[bytes] = []

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            proofs.append(stage.erasing.person(caller()))
            return real(*arguments)

        return step

    if at < len(steps):
        name, real = steps[at]
        setattr(
            promoter if name == "deposit" else rows, "_deposit" if name == "deposit" else name, before(real)
        )
    promoter(ticket, picture())
    if at == len(steps):
        proofs.append(stage.erasing.person(caller()))
    assert len(proofs) == 1
    stage.keeper.erase(TENANT)
    stage.promoter()(ticket, picture())  # the worker comes again
    stage.keeper.erase(TENANT)
    stage.time.now_ms += PLAINTEXT_MS
    assert stage.versions() == []
    assert stage.stored_frames() == 0
    assert stage.count(uploads) == stage.count(recommendations) == 0
    assert stage.count(web_blanks, web_blanks.c.request.is_not(None)) == 0
    assert stage.proof(proofs[0]).progress.done
    for row in _withdrawn(stage):
        with pytest.raises(KeyGone):
            stage.vault.unseal(TENANT, row, b"", b"")
    assert set(_consents(stage)) <= set(_withdrawn(stage))


def _withdrawn(stage: Stage) -> list[bytes]:
    with stage.database.tenant(TENANT, read_only=True) as connection:
        return list(connection.execute(select(withdrawals.c.consent)).scalars())


def _consents(stage: Stage) -> list[bytes]:
    with stage.database.tenant(TENANT, read_only=True) as connection:
        return list(connection.execute(select(consents.c.consent)).scalars())


@pytest.mark.parametrize("when", ["before the lease", "after the lease", "after the result"])
def test_a_worker_that_is_just_recommending_leaves_nothing(stage: Stage, when: str) -> None:
    """T25: its result finds neither upload nor lease; no recommendation of the person stays."""
    from cloud.recommender.adapters.sql_rows import SqlRows
    from cloud.recommender.values import Champion, Recommended, Shown

    ticket = stage.recommended(ANNA, state=UploadState.ARRIVED)
    with stage.database.tenant(TENANT) as connection:
        enqueue(connection, TENANT, Queue.RECOMMEND, ticket.request, stage.time())
    rows = SqlRows(stage.database, lease_ms=15_000, keep_days=30)
    if when == "before the lease":
        stage.erasing.person(caller())
        assert rows.lease(10) == []
        return
    (leased,) = rows.lease(10)
    lease, upload = leased.lease, leased.ticket
    assert upload is not None
    champion = Champion(TENANT, 1, "1", "00", "x", 1)
    ending = Recommended(upload, "model", (Shown("lemon", "Lemon", 0.5),), champion, 0.0, 1.0)
    if when == "after the lease":
        stage.erasing.person(caller())
        assert rows.write(TENANT, [(lease, ending)], stage.time()) == set()
    else:
        assert rows.write(TENANT, [(lease, ending)], stage.time()) == {ticket.request}
        stage.erasing.person(caller())
    stage.promoter()(ticket, picture())
    assert stage.count(recommendations) == stage.count(uploads) == stage.count(frames) == 0
    assert JobQueue(stage.database).backlog(Queue.RECOMMEND) == []


def test_an_export_has_everything_and_nothing_of_others(stage: Stage) -> None:
    """Uploads, recommendations with outcomes, consents with text and receipt, hand-overs; page by page."""
    kept = stage.keep(ANNA)
    stage.keep(BERT)
    handed = stage.arrives(stage.hand_over(ANNA))
    stage.hand_over(BERT)
    export = Export(stage.database, TENANT, ANNA)
    (upload,) = export.uploads()
    (recommendation,) = export.recommendations()
    of_picture, of_till = export.consents()
    (handover,) = export.handovers()
    blank = stage.blank_of(kept)
    assert blank is not None
    assert upload["consent_id"] == of_picture["consent_id"] == blank.hex()
    assert recommendation["picture_version"] == stage.version_of(kept)
    assert "Gelateria-Sole" in of_picture["notice"]
    assert (of_till["consent_id"], of_till["method"]) == (handed.hex(), "phone")
    assert handover["register"] == "till-07"


def test_an_export_of_many_pages_misses_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page at a time is in memory."""
    from cloud.public_api.adapters import exporting

    monkeypatch.setattr(exporting, "PAGE", 2)
    wanted = {stage.recommended(ANNA).request for _ in range(5)}
    export = Export(stage.database, TENANT, ANNA)
    assert len(list(export.uploads())) == len(list(export.recommendations())) == len(wanted)


def test_erasures_and_promotions_at_the_same_moment_leave_nothing(stage: Stage) -> None:
    """T25: threads, not turns: whoever of the two is second waits, nobody waits for ever, nothing is left."""
    tickets = [stage.recommended(ANNA) for _ in range(6)]
    erasing, promoter = stage.erasing, stage.promoter()
    start = threading.Barrier(2)

    def promote() -> None:
        for ticket in tickets:
            start.wait(30)
            promoter(ticket, picture())

    def erase() -> None:
        for ticket in tickets:
            start.wait(30)
            erasing.upload(caller(), ticket.request)

    with ThreadPoolExecutor(2) as both:
        for done in (both.submit(promote), both.submit(erase)):
            done.result(120)
    stage.keeper.erase(TENANT)
    assert stage.versions() == []
    assert stage.stored_frames() == stage.count(recommendations) == 0
    assert stage.count(web_blanks, web_blanks.c.request.is_not(None)) == 0
    assert set(_consents(stage)) <= set(_withdrawn(stage))
