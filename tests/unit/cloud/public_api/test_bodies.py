"""The described bodies are those that the routes give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud.public_api import bodies
from tests.builders.public_api import build_stage
from tests.builders.recommendation_rows import add_recommended, add_release, add_upload

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel


def test_each_answer_is_as_it_is_described(tmp_path: Path) -> None:
    """No field is missing, unknown or of another type."""
    stage = build_stage(tmp_path)
    add_release(stage.desk.database, 3, "lemon", german={"lemon": "Zitrone"})
    add_recommended(stage.desk.database, 1)
    add_upload(stage.desk.database, 2)
    client = stage.client()

    def check(model: type[BaseModel], document: Any) -> None:
        model.model_validate(document)

    [listed] = client.get("/v1/recommendations").json()["recommendations"]
    there = f"/v1/recommendations/{listed['request_id']}"
    check(bodies.RecommendationAnswer, client.get(there).json())
    check(bodies.OutcomeKept, client.post(f"{there}/outcome", json={"lines": [_LINE]}).json())
    check(bodies.RecommendationAnswer, client.get(there).json())
    check(bodies.RecommendationPage, client.get("/v1/recommendations").json())
    check(bodies.MenuAnswer, client.get("/v1/menu").json())
    check(bodies.NoticeAnswer, client.get("/v1/notice").json())
    pending = there[:-1] + "2"
    check(bodies.PendingAnswer, client.get(pending).json())


_LINE = {"flavour": "lemon", "quantity": 1}


@pytest.mark.parametrize("model", [bodies.RecommendationAnswer, bodies.PendingAnswer, bodies.OutcomeRequest])
def test_each_example_is_as_it_is_described(model: type[BaseModel]) -> None:
    """Whoever copies one starts from what is true."""
    examples = model.model_json_schema()["examples"]
    assert [model.model_validate(one) for one in examples]
