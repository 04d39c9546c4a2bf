"""`POST /v1/recommendations/{id}/outcome`."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders.public_api import ApiStage, build_stage
from tests.builders.recommendation_rows import add_recommended, add_release, add_upload

if TYPE_CHECKING:
    from pathlib import Path

LEMON = {"flavour": "lemon", "quantity": 2}
PISTACHIO = {"flavour": "pistachio", "quantity": 1}


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    made = build_stage(tmp_path)
    add_release(made.desk.database, 3, "lemon", "pistachio", "walnut")
    return made


def outcome(request: bytes) -> str:
    return f"/v1/recommendations/{uuid.UUID(bytes=request)}/outcome"


def test_the_same_outcome_again_changes_nothing(stage: ApiStage) -> None:
    """201, then 200 with the first one's time; lines in another order are the same sale."""
    where, client = outcome(add_recommended(stage.desk.database, 1)), stage.client()
    first = client.post(where, json={"lines": [LEMON, PISTACHIO]})
    assert (first.status_code, first.json()["lines"]) == (201, [LEMON, PISTACHIO])
    stage.clock[0] += 5000
    again = client.post(where, json={"lines": [PISTACHIO, LEMON]})
    assert (again.status_code, again.json()) == (200, first.json())


def test_another_outcome_is_a_conflict(stage: ApiStage) -> None:
    """The first one stands."""
    where, client = outcome(add_recommended(stage.desk.database, 1)), stage.client()
    assert client.post(where, json={"lines": [LEMON]}).status_code == 201
    answer = client.post(where, json={"lines": [PISTACHIO]})
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs/problems#outcome-conflict")
    assert client.get(where.removesuffix("/outcome")).json()["outcome"]["lines"] == [LEMON]


def test_of_many_at_once_one_is_recorded(stage: ApiStage) -> None:
    """Eight clients say different things: one 201, and the others hear of the conflict."""
    where = outcome(add_recommended(stage.desk.database, 1))
    clients = [stage.client() for _ in range(8)]
    bodies = [{"lines": [{"flavour": "lemon", "quantity": n + 1}]} for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda one: one[0].post(where, json=one[1]), zip(clients, bodies, strict=True))
        )
    assert sorted(one.status_code for one in answers) == [201] + [409] * 7


def test_flavours_are_those_of_the_chain(stage: ApiStage) -> None:
    """Any of the model that recommends or of the one that recommended, in the slate or not; no other."""
    add_release(stage.desk.database, 4, "lemon", "pistachio", "basil", champion=True)
    client = stage.client()
    for number, flavour in enumerate(("walnut", "basil", "hazelnut")):  # of the old, the new, the slate
        where = outcome(add_recommended(stage.desk.database, number))
        answer = client.post(where, json={"lines": [{"flavour": flavour, "quantity": 1}]})
        assert answer.status_code == 201, flavour
    where = outcome(add_recommended(stage.desk.database, 9))
    answer = client.post(where, json={"lines": [LEMON, {"flavour": "garlic", "quantity": 1}]})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/lines/1/flavour"]
    assert client.get(where.removesuffix("/outcome")).json()["outcome"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/lines"),
        ({"lines": []}, "#/lines"),
        ({"lines": [LEMON] * 51}, "#/lines"),
        ({"lines": [LEMON | {"quantity": 0}]}, "#/lines/0/quantity"),
        ({"lines": [LEMON | {"quantity": 100}]}, "#/lines/0/quantity"),
        ({"lines": [LEMON | {"quantity": "2"}]}, "#/lines/0/quantity"),
        ({"lines": [LEMON | {"price": 3}]}, "#/lines/0/price"),
        ({"lines": [LEMON], "receipt_id": "1"}, "#/receipt_id"),
    ],
)
def test_a_body_out_of_bounds_is_refused(stage: ApiStage, body: dict[str, Any], pointer: str) -> None:
    """1 to 50 lines of 1 to 99, and nothing else."""
    answer = stage.client().post(outcome(add_recommended(stage.desk.database, 1)), json=body)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("state", "status", "slug"),
    [
        ("issued", 409, "no-recommendation-yet"),
        ("arrived", 409, "no-recommendation-yet"),
        ("failed", 409, "upload-failed"),
        ("erased", 410, "erased"),
    ],
)
def test_without_a_recommendation_there_is_no_outcome(
    stage: ApiStage, state: str, status: int, slug: str
) -> None:
    """What was bought says something of what was recommended."""
    request = add_upload(stage.desk.database, 1, state=state)
    answer = stage.client().post(outcome(request), json={"lines": [LEMON]})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/docs/problems#{slug}")
