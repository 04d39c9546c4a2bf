"""The description of the API, and errors that nobody foresaw."""

import pytest

from edge_agent.adapters.http.interactions import _answer
from edge_agent.adapters.http.schemas import InteractionAnswer
from tests.builders.local_api import LocalApi
from tests.builders.records import impression

OPERATIONS = {
    "/v1/interactions": {"post"},
    "/v1/interactions/{interaction_id}/outcome": {"post"},
    "/v1/interactions/{interaction_id}/displayed": {"post"},
    "/v1/outcomes": {"post"},
    "/v1/menu": {"get", "put"},
    "/v1/model": {"put"},
    "/v1/events": {"get"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}


def test_every_operation_is_described(still_api: LocalApi) -> None:
    """With body, answers and problems."""
    document = still_api.stranger.get("/openapi.json").json()
    assert {path: set(methods) for path, methods in document["paths"].items()} == OPERATIONS
    opening = document["paths"]["/v1/interactions"]["post"]
    assert opening["requestBody"]["required"] is False
    assert {"201", "401", "403", "422"} <= set(opening["responses"])
    assert opening["security"] == [{"pairing": []}]
    assert "security" not in document["paths"]["/v1/interactions/{interaction_id}/displayed"]["post"]


def test_every_reference_has_its_schema(still_api: LocalApi) -> None:
    """A generator of clients can use the document."""
    text = still_api.stranger.get("/openapi.json").text
    schemas = still_api.stranger.get("/openapi.json").json()["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert "HTTPValidationError" not in schemas


def test_the_hot_answer_is_what_the_description_says() -> None:
    """It is written by hand for speed, so a test holds it to its schema."""
    InteractionAnswer.model_validate(_answer(impression()))


def test_a_defect_is_a_problem_without_its_inside(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 tells the client nothing about the code; the log has the traceback."""

    def break_down() -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(type(api.register.agent), "status", lambda _: break_down())
    answer = api.stranger.get("/readyz")
    assert answer.status_code == 500
    assert answer.json()["type"].endswith("internal-error")
    assert "secret" not in answer.text
    assert api.stranger.get("/v1/menu").status_code == 200


def test_a_wrong_address_or_method_is_a_problem_too(still_api: LocalApi) -> None:
    """RFC 9457 throughout."""
    missing, wrong = still_api.stranger.get("/v1/nothing"), still_api.client.put("/v1/interactions")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["allow"] == "POST"
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert "/docs" in answer.json()["remedy"]
