"""A picture from a phone, over the real S3 server and a real recommender: kept sealed, and erased."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from sqlalchemy import update

from cloud import clock
from cloud.config import CloudConfig, IntakeConfig, S3Config
from cloud.database.schema import consents, frames, messages, uploads
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.objects.s3_store import S3Store
from cloud.operations.setup import prepare_database
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.errors import KeyGone
from cloud.privacy.key_schema import KEYS
from cloud.public_api.adapters.notices import agree, notice_for
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.erasing import Erasing
from tests.builders import hostile_pictures as hostile
from tests.builders.cloud_database import sqlite_database
from tests.builders.collector_stack import wait_for
from tests.builders.recommender_process import RecommenderTown
from tests.builders.web_consent import TENANT, Ticket, WebConsentStage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.service_fixtures import S3Bucket

pytestmark = pytest.mark.service

ANNA = hashlib.sha256(b"anna").digest()
KEPT = hostile.jpeg(hostile.photo(640, 480))
NOT_KEPT = hostile.jpeg(hostile.photo(320, 240))
WITHIN_S = 120


class Place:
    """All the stores, and what lies in them."""

    def __init__(self, folder: Path, bucket: S3Bucket) -> None:
        self.folder, self.bucket = folder, bucket
        url = f"sqlite:///{folder}/keys.sqlite3"
        prepare_database(url, None, KEYS)
        self.vault = SqlKeyVault(url, FileMasterKey(folder / "master.key"))
        server = bucket.server
        s3 = S3Config(
            endpoint_url=server.endpoint_url,
            bucket=bucket.name,
            access_key=server.access_key,
            secret_key=server.secret_key,
        )
        self.town = RecommenderTown(folder, sqlite_database(folder), server)
        self.town.frames = bucket.name
        self.stage = WebConsentStage(
            folder, self.town.database, self.vault, S3Store(s3), now_ms=clock.now_ms()
        )
        config = CloudConfig(environment="development", s3=s3, intake=IntakeConfig(bucket=self.town.bucket))
        self.erasing = Erasing(
            self.stage.database,
            lambda: self.stage.objects,
            S3IntakeStore.open(config),
            clock.now_ms,
            120_000,
            os.urandom,
        )

    def put_to_keep(self) -> Ticket:
        """An upload under a consent."""
        request = self.town.put(KEPT)
        now_ms = clock.now_ms()
        with self.stage.database.tenant(TENANT) as connection:
            notice = notice_for(connection, TENANT, "it")
            consent = agree(connection, TENANT, "it", notice.sha256, now_ms)
            connection.execute(
                update(uploads)
                .where(uploads.c.request == request)
                .values(purpose="recommend_and_improve", consent=consent, user=ANNA)
            )
        return Ticket(TENANT, request)

    def stored(self) -> Iterator[bytes]:
        """Every file of the services, and every version of every object in both buckets."""
        for path in self.folder.rglob("*"):
            if path.is_file() and "releases" not in path.parts:
                yield path.read_bytes()
        for version in self.stage.objects.versions(""):
            yield self.stage.objects.get(version.key, version.version).body
        client, intake = self.town.client, self.town.bucket
        for one in client.list_objects_v2(Bucket=intake).get("Contents", ()):
            yield client.get_object(Bucket=intake, Key=one["Key"])["Body"].read()

    def holds(self, *pictures: bytes) -> bool:
        """Whether a piece from the middle of one of these lies anywhere."""
        pieces = [one[len(one) // 2 :][:48] for one in pictures]
        return any(piece in data for data in self.stored() for piece in pieces)

    def close(self) -> None:
        self.town.close()
        self.stage.close()
        self.vault.close()


@pytest.fixture
def place(tmp_path: Path, s3_bucket: S3Bucket) -> Iterator[Place]:
    built = Place(tmp_path, s3_bucket)
    yield built
    built.close()


def test_a_picture_is_kept_sealed_and_goes_with_its_person(place: Place) -> None:
    """T5, T25, T26: one version that its consent's key opens; no store holds the picture; then nobody has it.

    What was sent without a consent leaves nothing, from the moment that it was looked at.
    """
    stage, town = place.stage, place.town
    kept, looked_at = place.put_to_keep(), town.put(NOT_KEPT)
    assert place.holds(KEPT), "the search finds what is there"
    assert place.holds(NOT_KEPT)
    town.start("one")
    town.arrive(kept.request, looked_at)
    wait_for(
        lambda: stage.version_of(kept) is not None and town.done() == 2 and town.pictures_left() == 0,
        "both are looked at, one is kept",
        WITHIN_S,
    )
    assert stage.versions() == [stage.version_of(kept)]
    assert stage.count(frames) == stage.count(messages) == stage.count(consents) == 1
    opened = stage.opened(kept)
    assert cv2.imdecode(np.frombuffer(opened, np.uint8), cv2.IMREAD_COLOR) is not None
    assert b"Exif" not in opened
    assert not place.holds(KEPT, NOT_KEPT, opened)
    blank = stage.blank_of(kept)
    assert blank is not None
    proof = place.erasing.person(Caller(TENANT, ANNA, CallerKind.BROWSER))
    assert stage.keeper.erase(TENANT) == 1
    assert stage.versions() == []
    with pytest.raises(KeyGone):
        place.vault.unseal(TENANT, blank, b"", b"")
    assert stage.count(uploads, uploads.c.user == ANNA) == 0
    assert len(proof) == 16
    assert not place.holds(KEPT, NOT_KEPT, opened)
