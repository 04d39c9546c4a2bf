"""Logging in and out, and going from one chain to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.console.adapters.operators import remove_operator
from cloud.identity.values import LoginAttempt
from cloud.principal import Role
from tests.builders.console_stage import TENANT, ConsoleStage, StageClient, build_stage


@pytest.fixture
def stage(tmp_path: Path) -> ConsoleStage:
    return build_stage(tmp_path, TENANT, "polar-scoop")


def _callback(stage: ConsoleStage, client: StageClient, goal: str = "/fleet?q=a") -> object:
    attempt = LoginAttempt("state", "nonce", "verifier", goal, "https://login.example")
    client.keep(stage.desk.cookies.login, attempt.text())
    return client.get("/login/callback?state=state&code=c")


def test_a_page_leads_to_the_login_and_back(stage: ConsoleStage) -> None:
    """Who is not logged in is asked to, and comes back to the very page; nothing begins by itself."""
    client = stage.client(None)
    answer = client.get("/fleet?q=a&sort=-p99")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?goal=/fleet%3Fq%3Da%26sort%3D-p99",
    )
    page = client.get(answer.headers["location"])
    assert "/login/begin?goal=/fleet%3Fq%3Da%26sort%3D-p99" in page.text
    begun = client.get("/login/begin?goal=/fleet%3Fq%3Da")
    assert begun.headers["location"] == "https://login.example/authorize"
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("__Host-topscoop-login=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_an_operator_gets_a_session_in_a_cookie_that_scripts_cannot_read(stage: ConsoleStage) -> None:
    stage.login.subject = "anna"
    stage.operator(Role.VIEWER, name="anna")
    client = stage.client(None)
    answer = _callback(stage, client)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/fleet?q=a"
    session = next(one for one in answer.headers.get_list("set-cookie") if "topscoop=" in one)
    assert session.startswith(f"__Host-topscoop={TENANT}.")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(session.split("; "))
    assert "Max-Age" not in session
    assert client.get("/fleet").status_code == 200


def test_a_login_ends_the_session_that_was_planted(stage: ConsoleStage) -> None:
    """T24: a cookie that an attacker put into the browser before the login is worth nothing after it."""
    planted = stage.cookie(Role.VIEWER, name="anna")
    client = stage.client(None)
    client.keep(stage.desk.cookies.session, planted)
    _callback(stage, client)
    assert client.cookies.get(stage.desk.cookies.session) != planted
    assert stage.desk.sessions.find(planted) is None


def test_an_unknown_person_is_told_what_to_do(stage: ConsoleStage) -> None:
    stage.login.subject = "nobody"
    answer = _callback(stage, stage.client(None))
    assert answer.status_code == 403
    assert "topscoop cloud operator add" in answer.text
    assert not any("__Host-topscoop=" in one for one in answer.headers.get_list("set-cookie"))


def test_a_login_that_was_not_begun_here_is_refused(stage: ConsoleStage) -> None:
    answer = stage.client(None).get("/login/callback?state=state&code=c")
    assert answer.status_code == 400
    assert "not begun here" in answer.text.lower()


def test_somebody_of_two_chains_chooses_and_goes_over(stage: ConsoleStage) -> None:
    """Going over is a new session; the old one has ended."""
    stage.operator(Role.ADMIN, name="anna")
    stage.operator(Role.VIEWER, tenant="polar-scoop", name="anna")
    client = stage.client(None)
    assert _callback(stage, client).headers["location"] == "/chains"
    before = client.cookies.get(stage.desk.cookies.session)
    answer = client.send_form("/chains", {"tenant": "polar-scoop"})
    assert answer.status_code == 303
    after = client.cookies.get(stage.desk.cookies.session)
    assert after.startswith("polar-scoop.")
    assert stage.desk.sessions.find(before) is None
    assert "Polar-Scoop" in client.get("/fleet").text
    assert client.send_form("/chains", {"tenant": "someone-else"}).status_code == 403


def test_logout_ends_the_session_for_every_copy_of_its_cookie(stage: ConsoleStage) -> None:
    client = stage.client(Role.VIEWER)
    copied = client.cookies.get(stage.desk.cookies.session)
    answer = client.send_form("/logout")
    assert answer.headers["location"] == "/logged-out"
    assert stage.desk.sessions.find(copied) is None
    assert client.get("/logged-out").status_code == 200
    assert client.get("/fleet").status_code == 303


def test_who_is_removed_is_out_with_the_next_click(stage: ConsoleStage) -> None:
    client = stage.client(Role.ADMIN, name="anna")
    assert client.get("/fleet").status_code == 200
    operator = stage.operator(Role.ADMIN, name="anna")
    with stage.desk.database.tenant(TENANT) as connection:
        remove_operator(connection, operator, 1, actor="test")
    assert client.get("/fleet").status_code == 303


def test_the_colours_are_kept(stage: ConsoleStage) -> None:
    client = stage.client()
    answer = client.send_form("/theme", {"theme": "dark", "goal": "/releases"})
    assert answer.headers["location"] == "/releases"
    assert 'data-theme="dark"' in client.get("/chains").text
    client.send_form("/theme", {"theme": "<script>", "goal": "//evil.example"})
    assert 'data-theme="system"' in client.get("/chains").text
