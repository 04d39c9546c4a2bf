"""What holds for every page, whoever adds one."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from cloud.console import scopes
from cloud.console.app import build_routes
from tests.builders.console_stage import ConsoleStage, build_stage

_OPEN = {"/", "/login", "/login/begin", "/login/callback", "/logged-out"}
"""Routes for those who are not logged in; nothing of a chain is behind them."""
_PERSONAL = {"/chains", "/logout", "/live"}
"""Of whoever is logged in: their own session, or a page's parts that ask for the role themselves."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    return build_stage(tmp_path_factory.mktemp("console"))


@pytest.fixture(scope="module")
def routes(stage: ConsoleStage) -> list[APIRoute]:
    found = [route for route in _all_routes(build_routes(stage.desk)) if isinstance(route, APIRoute)]
    assert len(found) > 20
    return found


def _all_routes(app: Any) -> Iterator[Any]:
    for route in app.routes:
        yield route
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None:
            yield from _all_routes(inner)


def _calls(route: APIRoute) -> set[Any]:
    found, waiting = set(), [route.dependant]
    while waiting:
        one = waiting.pop()
        found.add(one.call)
        waiting += one.dependencies
    return found


def test_each_route_names_its_scope(routes: list[APIRoute]) -> None:
    """Authorization stands in the signature: a route without one, that is not on the list, fails here."""
    roles = {scopes.viewer, scopes.operator, scopes.admin}
    for route in routes:
        if route.path in _OPEN:
            continue
        wanted = {scopes.logged_in} if route.path in _PERSONAL else roles
        assert _calls(route) & wanted, f"{route.path} names no scope"


def test_whatever_changes_something_needs_a_session(stage: ConsoleStage, routes: list[APIRoute]) -> None:
    """T24: every POST of every page is refused to other origins, to other sessions and to nobody."""
    posts = [route.path for route in routes if "POST" in route.methods]
    assert len(posts) > 5
    somebody, nobody = stage.client(), stage.client(None)
    own = {"origin": stage.desk.origin}
    for path in posts:
        place = path.replace("{", "").replace("}", "")
        refused = [
            somebody.post(place, data={"csrf": "x"}),
            somebody.post(place, data={"csrf": "x"}, headers={"origin": "https://evil.example"}),
            somebody.post(place, data={"csrf": "x"}, headers={"origin": "null"}),
            somebody.post(place, data={"csrf": "x"}, headers=own),
            somebody.post(place, data={}, headers=own),
            somebody.post(place, data={"csrf": "x"}, headers={**own, "sec-fetch-site": "same-site"}),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused), path
        assert nobody.post(place, data={"csrf": "x"}, headers=own).status_code == 401


def test_no_methods_but_get_and_post(routes: list[APIRoute]) -> None:
    assert {method for route in routes for method in route.methods} == {"GET", "POST"}
