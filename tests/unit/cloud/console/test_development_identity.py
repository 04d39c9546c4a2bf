from collections.abc import Iterable
from typing import Any

from cloud.console.development_identity import called


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
