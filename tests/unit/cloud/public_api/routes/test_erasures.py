"""Taking an upload back, and looking at a proof."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select

from cloud.database.schema import uploads
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectsAway
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage
from tests.unit.cloud.public_api.routes.test_uploads import ASKED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def test_an_upload_is_taken_back_and_says_so(stage: ApiStage) -> None:
    """Twice the same proof; the recommendation answers `erased`; others cannot."""
    anna = stage.client()
    request = anna.post("/v1/uploads", json=ASKED).json()["request_id"]
    for other in (stage.client("bert"), stage.client(tenant=OTHER)):
        assert other.delete(f"/v1/uploads/{request}").status_code == 404
    first, second = (anna.delete(f"/v1/uploads/{request}") for _ in range(2))
    assert first.status_code == 200
    assert first.json() == second.json()
    assert anna.get(f"/v1/uploads/{request}").json()["state"] == "erased"
    assert anna.get(f"/v1/recommendations/{request}").status_code == 410
    assert anna.get(first.json()["status"]).json()["counts"]["uploads"] == 1
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        (row,) = connection.execute(select(uploads).where(uploads.c.request == UUID(request).bytes)).all()
    assert (row.context, row.sha256, row.consent, row.fingerprint) == ({}, bytes(32), None, None)


def test_a_proof_is_found_by_itself_alone(stage: ApiStage) -> None:
    """What is no proof is not found, whatever it looks like."""
    client = stage.client(None)
    for wrong in ("0" * 32, "0" * 30, "xyz", "0" * 64):
        assert client.get(f"/v1/erasures/{wrong}").status_code == 404


def test_without_the_log_nothing_is_erased(stage: ApiStage) -> None:
    """T25: 503, and everything is still there."""

    def away() -> MemoryStore:
        raise ObjectsAway("away")

    erasing = dataclasses.replace(stage.desk.erasing, frames=away)
    stage.rebuild(dataclasses.replace(stage.desk, erasing=erasing))
    anna = stage.client()
    request = anna.post("/v1/uploads", json=ASKED).json()["request_id"]
    for address in (f"/v1/uploads/{request}", "/v1/me"):
        answer = anna.delete(address)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert anna.get(f"/v1/uploads/{request}").json()["state"] == "issued"
