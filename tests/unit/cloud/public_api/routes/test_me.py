"""`/v1/me` over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.public_api.caller import CallerKind
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage, user_of
from tests.unit.cloud.public_api.routes.test_uploads import ASKED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def test_who_one_is(stage: ApiStage) -> None:
    """The beginning of a pseudonym, the chain by name, and no token for pages where no cookie is."""
    assert stage.client().get("/v1/me").json() == {
        "pseudonym": user_of("anna").hex()[:16],
        "kind": CallerKind.DEVICE,
        "chain": TENANT,
        "chain_name": TENANT.title(),
        "csrf": None,
    }


def test_an_export_is_one_json_document_of_ones_own(stage: ApiStage) -> None:
    """It is a file to be kept; nobody else's rows are in it."""
    anna = stage.client()
    wanted = [anna.post("/v1/uploads", json=ASKED).json()["request_id"] for _ in range(2)]
    stage.client("bert").post("/v1/uploads", json=ASKED)
    answer = anna.get("/v1/me/export")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    document = answer.json()
    assert sorted(one["request_id"] for one in document["uploads"]) == sorted(wanted)
    assert document["recommendations"] == document["consents"] == document["handovers"] == []
    assert document["pseudonym"] == user_of("anna").hex()[:16]
    assert "anna" not in answer.text


def test_one_export_of_a_person_at_a_time(stage: ApiStage) -> None:
    """T27: it is written outside of the turns of chains; another person's, and the next one, are given."""
    anna, places = stage.client(), stage.desk.exports
    assert places.take((TENANT, user_of("anna")))
    refused = anna.get("/v1/me/export")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert stage.client("bert").get("/v1/me/export").status_code == 200
    places.give_back((TENANT, user_of("anna")))
    assert [anna.get("/v1/me/export").status_code for _ in range(2)] == [200, 200]
    assert len(places) == 0


def test_who_erases_everything_is_logged_out_and_holds_a_proof(stage: ApiStage) -> None:
    """T25: one's own rows and sessions alone; the proof is good in this chain, without a login."""
    anna, bert = stage.client(), stage.client("bert")
    for client in (anna, bert):
        client.post("/v1/uploads", json=ASKED)
    begun = anna.delete("/v1/me")
    assert begun.status_code == 200
    assert anna.get("/v1/me").status_code == 401
    assert len(bert.get("/v1/me/export").json()["uploads"]) == 1
    status = begun.json()["status"]
    stranger = stage.client(None)
    seen = stranger.get(status).json()
    assert (seen["state"], seen["waiting"]) == ("running", 0)
    assert seen["counts"] == {
        "uploads": 1,
        "recommendations": 0,
        "outcomes": 0,
        "consents": 0,
        "sessions": 1,
    }
    stage.clock[0] += stage.desk.config.intake.plaintext_s * 1000
    seen = stranger.get(status).json()
    assert seen["state"] == "done"
    assert seen["asked_at"] < seen["online_copies_gone"] < seen["last_backup_gone"]
    assert stage.client(None, tenant=OTHER).get(status).status_code == 404
    again = stage.client().delete("/v1/me").json()
    assert again["proof"] != begun.json()["proof"]
    assert stranger.get(again["status"]).json()["counts"]["uploads"] == 0
