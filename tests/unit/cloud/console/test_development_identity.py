from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import werkzeug.test

from cloud.config import CloudConfig, ConsoleConfig
from cloud.console.development_identity import build_identity, called


def test_it_calls_itself_by_its_issuers_name_and_its_pages_load_nothing_from_elsewhere() -> None:
    """Whatever address a request came to: tokens name the issuer; a demo's pages ask no CDN."""
    asked: dict[str, Any] = {}
    answered: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked.update(environ)
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"page"]

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any) -> None:
        answered.update(dict(headers), status=status, exc_info=exc_info)

    body = called(app, "http://identity.localhost:8731")({"HTTP_HOST": "127.0.0.1:9"}, start_response)
    assert list(body) == [b"page"]
    assert (asked["HTTP_HOST"], asked["wsgi.url_scheme"]) == ("identity.localhost:8731", "http")
    assert answered["status"] == "200 OK"
    assert answered["Content-Type"] == "text/html"
    assert answered["Content-Security-Policy"].startswith("default-src 'self'")


def test_it_lets_people_in_under_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the compose stack it is `identity.localhost`, over plain HTTP."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "")
    config = CloudConfig(
        environment="development",
        state_dir=tmp_path,
        console=ConsoleConfig(oidc_issuer="http://identity.localhost:8731"),
    )
    server = build_identity(config, "127.0.0.1", 0)
    try:
        asked = {
            "response_type": "code",
            "client_id": "topscoop",
            "redirect_uri": "https://gelato.localhost:8440/login/callback/1",
            "scope": "openid",
            "state": "s" * 20,
            "nonce": "n" * 20,
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
        }
        page = werkzeug.test.Client(server.app).get("/oauth2/authorize", query_string=asked)
        assert page.status_code == 200, page.text
        assert 'value="anna"' in page.text
    finally:
        server.server_close()
