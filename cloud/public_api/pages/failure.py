"""A refusal as a page, for people whose browser came to an address."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from cloud.public_api.pages.rendering import show
from cloud.public_api.problems import Problem

_WORDS: Final[Mapping[str, str]] = {
    "not-found": "missing",
    "method-not-allowed": "missing",
    "unknown-chain": "chain",
    "login-failed": "login",
    "provider-away": "provider",
    "too-many-requests": "busy",
    "quota-used-up": "busy",
}
_OURS: Final = 500


def wants_page(request: Request) -> bool:
    """Whether a browser's navigation asks: it names text/html, and no address of the API."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith("/v1/")


def failure_page(request: Request, refused: Problem) -> Response:
    """The page that says so in plain words; it asks no database, which may be what is away."""
    kind = refused.kind
    words = _WORDS.get(kind.slug, "broken" if kind.status >= _OURS else "refused")
    page = show(request, "failure.html", status=kind.status, failure=words)
    page.headers.update(refused.headers)
    return page
