"""The gate on a real server: what is refused, and what every answer carries."""

import socket

import httpx
import pytest

from edge_agent.adapters.http.guard import MAX_BODY_BYTES
from tests.builders.local_api import FOREIGN, TOKEN, LocalApi


def problem(answer: httpx.Response) -> str:
    """The short name of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    assert document["remedy"]
    return str(document["type"]).removeprefix("urn:topscoop:problem:")


def test_a_rebound_name_is_refused_t29(still_api: LocalApi) -> None:
    """T29: DNS rebinding reaches the port with its own Host, and gets nothing."""
    answer = still_api.client.get("/v1/menu", headers={"Host": "evil.example"})
    assert (answer.status_code, problem(answer)) == (403, "host-not-allowed")


def test_a_foreign_page_is_refused_t29(still_api: LocalApi) -> None:
    """T29: with the right Host and even the token, a foreign origin gets nothing and opens nothing."""
    answer = still_api.client.post("/v1/interactions", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, problem(answer)) == (403, "origin-not-allowed")
    assert still_api.register.journal.impressions == {}


def test_a_process_without_pairing_is_told_where_the_token_is_t29(still_api: LocalApi) -> None:
    """T29: 401 says what to do, and asks for a bearer token."""
    answer = still_api.stranger.post("/v1/interactions")
    assert (answer.status_code, problem(answer)) == (401, "pairing-token-required")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "log" in answer.json()["remedy"]
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/interactions"),
        ("POST", "/v1/interactions/x/outcome"),
        ("POST", "/v1/outcomes"),
        ("PUT", "/v1/menu"),
        ("PUT", "/v1/model"),
        ("POST", "/v1/interactions/x/displayed"),
    ],
)
def test_everything_that_changes_something_wants_the_token(
    still_api: LocalApi, method: str, path: str
) -> None:
    """Every POST and PUT there is."""
    assert still_api.stranger.request(method, path).status_code == 401


def test_a_large_body_is_refused_by_its_announcement(still_api: LocalApi) -> None:
    """Before any of it is read."""
    answer = still_api.client.put("/v1/menu", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert "64 KiB" in answer.json()["detail"]


def test_a_large_body_without_announcement_is_cut_off(still_api: LocalApi) -> None:
    """A chunked body ends at the limit."""
    chunks = (b"x" * 16_384 for _ in range(8))
    answer = still_api.client.put("/v1/menu", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_every_answer_is_kept_out_of_caches_and_other_pages(still_api: LocalApi) -> None:
    """Refusals too."""
    for answer in (
        still_api.client.get("/v1/menu"),
        still_api.client.get("/nothing"),
        still_api.stranger.put("/v1/menu"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_pages_run_no_foreign_and_no_inline_script(still_api: LocalApi) -> None:
    """The policy allows our own files only, and framing by configured origins only."""
    for page in ("/display", "/docs"):
        policy = still_api.stranger.get(page).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert f"frame-ancestors 'self' {FOREIGN}" in policy


def test_an_allowed_origin_may_ask_and_call(api: LocalApi) -> None:
    """CORS for the till's own web page."""
    asked = api.stranger.options(
        "/v1/interactions",
        headers={"Origin": FOREIGN, "Access-Control-Request-Method": "POST"},
    )
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == FOREIGN
    assert "authorization" in asked.headers["access-control-allow-headers"]
    called = api.client.post("/v1/interactions", headers={"Origin": FOREIGN})
    assert called.status_code == 201
    assert called.headers["access-control-allow-origin"] == FOREIGN


def test_nobody_else_is_told_that_it_may(still_api: LocalApi) -> None:
    """No wildcard, ever."""
    assert "access-control-allow-origin" not in still_api.stranger.get("/v1/menu").headers
    assert still_api.stranger.options("/v1/menu", headers={"Origin": "null"}).status_code == 403


def test_two_host_headers_are_refused(still_api: LocalApi) -> None:
    """What no client library sends, on a bare socket."""
    request = (
        f"GET /v1/menu HTTP/1.1\r\nHost: 127.0.0.1:{still_api.port}\r\nHost: evil.example\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", still_api.port)) as connection:
        connection.sendall(request.encode())
        answer = connection.makefile("rb").readline()
    assert answer.split()[1] in {b"400", b"403"}


def test_requests_are_counted_by_route_not_by_address(api: LocalApi) -> None:
    """Ids in paths must not become series in Prometheus."""
    api.client.post("/v1/interactions/whatever/displayed")
    api.client.get("/no/such/thing")
    text = api.client.get("/metrics").text
    assert 'route="/v1/interactions/{interaction_id}/displayed",status="404"' in text
    assert 'route="other",status="404"' in text
    assert "whatever" not in text
