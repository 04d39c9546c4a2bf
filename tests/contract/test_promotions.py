"""A picture that a person lets the chain keep, from pixels to its sealed version, on both databases."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import delete, select, update

from cloud.database.schema import consents, frames, messages, uploads, web_blanks
from cloud.intake.errors import NoBlankLeft, PromotionLater
from cloud.intake.promotion import LEFT_AFTER_MS
from cloud.intake.values import Purpose, UploadState
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectsAway
from cloud.privacy.erasure_plan import Source
from cloud.privacy.errors import KeyGone, OpeningRefused
from tests.builders.cloud_database import postgres_service
from tests.builders.web_consent import TENANT, Ticket, WebConsentStage, picture

LEASE_MS = 31_000


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebConsentStage]:
    database = None
    if request.param == "postgres":
        database = postgres_service(request.getfixturevalue("postgres_database"))
    built = WebConsentStage(tmp_path, database)
    yield built
    built.close()


def test_a_picture_becomes_one_version_that_only_its_consents_key_opens(stage: WebConsentStage) -> None:
    """T5: as a register's frame, under what the person read; once, however often it is promoted."""
    ticket = stage.recommended()
    promote = stage.promoter()
    for _ in range(3):
        promote(ticket, picture())
    assert stage.versions() == [stage.version_of(ticket)]
    shown = cv2.imdecode(np.frombuffer(stage.opened(ticket), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == picture().shape
    blank = stage.blank_of(ticket)
    with stage.database.tenant(TENANT, read_only=True) as connection:
        (consent,) = connection.execute(select(consents)).all()
        (upload,) = connection.execute(select(uploads)).all()
        (frame,) = connection.execute(select(frames)).all()
    assert (consent.consent, consent.register, consent.interaction) == (blank, "public-api", ticket.request)
    assert (consent.method, consent.language) == ("touch", "de")
    assert consent.notice.hex() == upload.consent["notice"]
    assert consent.expires_at_ms == upload.consent["expires_at_ms"]
    assert (frame.message_id, frame.interaction) == (ticket.request, ticket.request)
    assert stage.count(web_blanks, web_blanks.c.request.is_not(None)) == 0
    assert stage.records.withdraw(TENANT, consent.consent, Source.CUSTOMER, stage.time(), actor="c")
    with pytest.raises(OpeningRefused):
        stage.opened(ticket)
    assert stage.keeper.erase(TENANT) == 1
    assert stage.versions() == []
    assert stage.link.sent == []
    with pytest.raises(KeyGone):
        stage.vault.unseal(TENANT, consent.consent, b"", b"")


@pytest.mark.parametrize(
    ("purpose", "state"),
    [(Purpose.RECOMMEND, UploadState.DONE), (Purpose.RECOMMEND_AND_IMPROVE, UploadState.ERASED)],
)
def test_what_nobody_agreed_to_is_not_kept(
    stage: WebConsentStage, purpose: Purpose, state: UploadState
) -> None:
    """T5: without a consent, or after it was taken back, no blank is taken and nothing is written."""
    ticket = stage.recommended(purpose=purpose, state=state)
    before = stage.in_stock()
    stage.promoter()(ticket, picture())
    assert stage.in_stock() == before
    assert stage.versions() == []
    assert stage.count(messages) == stage.count(consents) == 0


def test_one_blank_is_one_uploads_and_never_another_ones(stage: WebConsentStage) -> None:
    """T5: a consent's id is used once; an empty stock keeps nothing until the keeper fills it."""
    some = [stage.recommended() for _ in range(3)]
    promote = stage.promoter()
    for ticket in some:
        promote(ticket, picture())
    assert len({stage.blank_of(ticket) for ticket in some}) == 3
    with stage.database.tenant(TENANT) as connection:
        connection.execute(delete(web_blanks))
        signed = connection.execute(select(consents.c.consent, consents.c.receipt)).first()
        assert signed is not None
    late = stage.recommended()
    with pytest.raises(NoBlankLeft):
        promote(late, picture())
    # Somebody puts a used blank back into the stock: the collector's rules refuse the second consent on it.
    with stage.database.tenant(TENANT) as connection:
        from wire_protocol import cose
        from wire_protocol.consent import Consent
        from wire_protocol.fields import decode_payload

        used = decode_payload(Consent, cose.cose_parse(signed.receipt).payload).blank
        connection.execute(
            web_blanks.insert().values(
                tenant=TENANT, blank=signed.consent, signed=used, usable_until_ms=stage.time() + 1000
            )
        )
    promote(late, picture())
    assert stage.version_of(late) is None
    assert len(stage.versions()) == 3
    assert stage.stock.top_up(TENANT) == 20


class Killed(BaseException):
    """The process is gone."""


class Dying(MemoryStore):
    """A bucket whose caller dies before or after a put; after that it answers nobody."""

    def __init__(self, stage: WebConsentStage, when: str) -> None:
        super().__init__(stage.time)
        self.when, self.dead = when, False

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        if self.when == "before":
            self.dead = True
            raise Killed
        version = super().put(key, body, metadata, tags)
        if self.when == "after":
            self.dead = True
            raise Killed
        return version


def _killing(promoter: Any, name: str, *, after: bool) -> None:
    """The process dies around this statement."""
    rows = promoter._rows
    real: Callable[..., Any] = getattr(rows, name)

    def dies(*arguments: Any) -> Any:
        if after:
            real(*arguments)
        raise Killed

    setattr(rows, name, dies)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", ["take", "save", "end"])
def test_killed_around_a_statement_and_repeated(stage: WebConsentStage, name: str, after: bool) -> None:  # noqa: FBT001
    """One row, one version, wherever it dies; the same blank and the same bytes as before."""
    ticket = stage.recommended()
    promoter = stage.promoter()
    _killing(promoter, name, after=after)
    with pytest.raises(Killed):
        promoter(ticket, picture())
    stage.promoter()(ticket, picture())
    assert stage.versions() == [stage.version_of(ticket)]
    assert stage.stored_frames() == stage.count(messages) == stage.count(consents) == 1
    assert stage.in_stock() == 19


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_put_and_repeated(
    stage: WebConsentStage, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim holds for its lease; whoever comes after adopts the version that is there."""
    ticket = stage.recommended()
    objects = stage.objects = Dying(stage, when)
    from cloud.collector.adapters.sql_ledger import SqlLedger

    real = SqlLedger.finish

    async def finish(self: SqlLedger, *arguments: Any) -> Any:
        if objects.dead:
            raise Killed
        return await real(self, *arguments)

    monkeypatch.setattr(SqlLedger, "finish", finish)
    with pytest.raises(Killed):
        stage.promoter()(ticket, picture())
    objects.when, objects.dead = "", False
    with pytest.raises(PromotionLater):
        stage.promoter()(ticket, picture())
    stage.time.now_ms += LEASE_MS
    stage.promoter()(ticket, picture())
    assert stage.versions() == [stage.version_of(ticket)]
    assert stage.stored_frames() == stage.count(messages) == 1


def test_a_store_that_is_away_loses_nothing_that_was_sealed(stage: WebConsentStage) -> None:
    """T18: the sealed picture is durable; it is deposited without the pixels, also by another process."""
    ticket = stage.recommended()
    store = stage.objects
    assert isinstance(store, MemoryStore)

    class Away(MemoryStore):
        def put(self, *_: Any) -> str:
            raise ObjectsAway("away")

    with pytest.raises(PromotionLater, match="away"):
        stage.promoter(Away(stage.time))(ticket, picture())
    promoter = stage.promoter()
    assert promoter.deliver_left(TENANT) == 0  # its own worker may still be at it
    stage.time.now_ms += LEFT_AFTER_MS + 1
    assert promoter.deliver_left(TENANT) == 1
    assert stage.versions() == [stage.version_of(ticket)]
    assert promoter.deliver_left(TENANT) == 0


def test_the_chains_quota_of_the_day_holds_for_phones_too(stage: WebConsentStage) -> None:
    """T27: later, not refused; the sealed picture waits."""
    from cloud.database.schema import tenants

    ticket = stage.recommended()
    with stage.database.tenant(TENANT) as connection:
        connection.execute(update(tenants).where(tenants.c.tenant == TENANT).values(frames_per_day=0))
    with pytest.raises(PromotionLater, match="quota"):
        stage.promoter()(ticket, picture())
    assert stage.versions() == []
    assert stage.count(web_blanks, web_blanks.c.message.is_not(None)) == 1


def test_what_was_sealed_in_a_blanks_last_hour_waits_for_tomorrows_quota(stage: WebConsentStage) -> None:
    """T5: the blank may not be filled any more, and what was sealed to it in time is stored nevertheless."""
    stage.time.now_ms += 90 * 86_400_000 - 3_600_000
    ticket, store = stage.recommended(), stage.objects

    class Away(MemoryStore):
        def put(self, *_: Any) -> str:
            raise ObjectsAway("away")

    with pytest.raises(PromotionLater):
        stage.promoter(Away(stage.time))(ticket, picture())
    stage.time.now_ms += 86_400_000
    stage.stock.top_up(TENANT)
    stage.keeper.retention(TENANT)
    assert stage.promoter(store).deliver_left(TENANT) == 1
    assert stage.versions() == [stage.version_of(ticket)]
    assert stage.opened(ticket)


def test_a_consent_that_is_over_seals_nothing(stage: WebConsentStage) -> None:
    """T5: it ended before the picture was looked at; the pixels are not even encoded."""
    ticket = stage.recommended()
    stage.time.now_ms += 31 * 86_400_000
    stage.promoter()(ticket, picture())
    assert stage.versions() == []
    assert stage.count(web_blanks, web_blanks.c.request.is_not(None)) == 0


def test_the_stock_is_kept_full_and_ends_with_its_time(stage: WebConsentStage) -> None:
    """Refilled by batches; expired blanks go, their keys with them; a chain without the name has none."""
    assert stage.in_stock() == 20
    assert stage.stock.top_up(TENANT) == 0
    promote = stage.promoter()
    promote(stage.recommended(), picture())
    assert stage.stock.top_up(TENANT) == 0  # one is not worth a batch
    promote(stage.recommended(), picture())
    assert stage.stock.top_up(TENANT) == 2
    live = stage.vault.live(TENANT, "public-api", 0)
    assert len(live) == 22
    stage.time.now_ms += 93 * 86_400_000
    assert stage.stock.top_up(TENANT) == 20
    stage.keeper.retention(TENANT)
    assert stage.in_stock() == 20
    assert len(set(stage.vault.live(TENANT, "public-api", 0)) - set(live)) == 20
    stage.set_state("revoked")
    with stage.database.tenant(TENANT) as connection:
        connection.execute(delete(web_blanks))
    assert stage.stock.top_up(TENANT) == 0


def test_a_name_that_is_revoked_speaks_for_nobody(stage: WebConsentStage) -> None:
    """T1: whoever holds the recommender's key is put out like a register."""
    ticket: Ticket = stage.recommended()
    stage.set_state("revoked")
    stage.promoter()(ticket, picture())
    assert stage.versions() == []
    assert stage.version_of(ticket) is None


def test_workers_that_bring_one_picture_at_once_store_it_once(stage: WebConsentStage) -> None:
    """T4: a lease that ran out is taken over while its worker goes on: one blank, one version, one row."""
    ticket = stage.recommended()
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(30)
        # Somebody else holds the claim: the queue tries again.
        with contextlib.suppress(PromotionLater):
            stage.promoter()(ticket, picture())

    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(work) for _ in range(4)]:
            done.result(60)
    stage.time.now_ms += LEASE_MS
    stage.promoter()(ticket, picture())
    assert stage.version_of(ticket) in stage.versions()
    assert stage.stored_frames() == stage.count(messages) == stage.count(consents) == 1
    assert stage.in_stock() == 19
