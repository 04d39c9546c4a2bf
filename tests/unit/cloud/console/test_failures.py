"""What a page says when it cannot be shown."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cloud.console import app as console_app
from cloud.console.app import build_routes
from cloud.console.errors import NotFound
from cloud.errors import DatabaseAway
from tests.builders.console_stage import ConsoleStage, build_stage
from wire_protocol.errors import OperatorError


@pytest.fixture
def stage(tmp_path: Path) -> ConsoleStage:
    return build_stage(tmp_path)


def _failing(stage: ConsoleStage, error: Exception) -> TestClient:
    routes = build_routes(stage.desk)

    def fail() -> None:
        raise error

    routes.get("/fail")(fail)
    return TestClient(routes, base_url=stage.desk.origin, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotFound("no such till", remedy="Look elsewhere."), 404, "No such till."),
        (OperatorError("the rollout is over", remedy="Plan another."), 409, "The rollout is over."),
        (DatabaseAway("gone"), 503, "Nothing was changed"),
        (ZeroDivisionError("secret detail"), 500, "broken on our side"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_people_read_words_and_programs_a_problem(
    stage: ConsoleStage, error: Exception, status: int, words: str
) -> None:
    """Each says what to do next; what is broken inside is for the log alone."""
    client = _failing(stage, error)
    page = client.get("/fail", headers={"accept": "text/html"})
    assert (page.status_code, words in page.text) == (status, True)
    assert "secret detail" not in page.text
    problem = client.get("/fail", headers={"accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
    document = problem.json()
    assert document["status"] == status
    assert document["remedy"]
    assert "secret detail" not in problem.text


def test_an_unknown_address_is_a_page(stage: ConsoleStage) -> None:
    answer = stage.client().get("/no-such-page")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert stage.client().get("/theme").status_code == 405


def test_pages_are_listed_once() -> None:
    assert len(set(console_app.PAGES)) == len(console_app.PAGES)
    assert all(page.router.routes for page in console_app.PAGES)
