"""What every call of the client raises: one error, with the problem document where the API sent one. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from wire_protocol.errors import TopscoopError

_OAUTH_REMEDIES: Final = {
    "invalid_client": "Check the client id and its secret; the chain's operator can make a new pair.",
    "access_denied": "Log in again, and press yes if it was you.",
    "expired_token": "Log in again; a code holds for ten minutes.",
}
_OUTAGE: Final = 500


class ApiError(TopscoopError):
    """The API, the store or the way there said no.

    Attributes:
        slug: Decide by it: the problem's (`/docs/problems`), an error code of RFC 6749 or 8628, or one
            of ours: `away`, `untrusted`, `not-ours`, `store-refused`, `not-logged-in`, `not-there-yet`.
        status: Of HTTP; 0 where nobody answered.
        document: The problem document (RFC 9457); empty where there is none.
        retry_after_s: When to ask again, where the answer said so.
    """

    def __init__(
        self,
        slug: str,
        message: str,
        *,
        remedy: str = "",
        status: int = 0,
        document: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.slug = slug
        self.status = status
        self.document = dict(document or {})
        self.retry_after_s = retry_after_s


def refusal(
    status: int, body: bytes, *, retry_after_s: float | None = None, request_id: str = ""
) -> ApiError:
    """The error of an answer with a status of 400 or more, whoever wrote it.

    Args:
        status: Of HTTP.
        body: A problem document, an OAuth error, or anything that a gateway says.
        retry_after_s: What its `Retry-After` said.
        request_id: Its `X-Request-Id`, which helps whoever looks for it in the API's log.
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
    if isinstance(document.get("type"), str) and "#" in document["type"]:
        slug = document["type"].rpartition("#")[2]
        words = [str(document.get(name) or "") for name in ("title", "detail")]
        message = ": ".join(word for word in words if word)
        remedy = str(document.get("remedy") or "")
        if status >= _OUTAGE and request_id:
            remedy = f"{remedy} Its X-Request-Id is {_plain(request_id)}.".strip()
    elif isinstance(document.get("error"), str):
        slug = document["error"]
        message = str(document.get("error_description") or slug)
        remedy = _OAUTH_REMEDIES.get(slug, "")
        document = {}
    else:
        document = {}
        slug = "away" if status >= _OUTAGE else "not-ours"
        message = f"the chain's server answered {status}, and not as the API does"
        remedy = "Try again in a minute." if status >= _OUTAGE else "Check the chain's address."
    return ApiError(
        _plain(slug),
        _plain(message) or f"refused with {status}",
        remedy=_plain(remedy),
        status=status,
        document=document,
        retry_after_s=retry_after_s,
    )


def away(why: str) -> ApiError:
    """Nobody answers there."""
    return ApiError(
        "away", f"the chain's server cannot be reached: {why}", remedy="Check the address and the network."
    )


def untrusted(why: str) -> ApiError:
    """Whoever answers cannot show that it is the chain's server; nothing was sent."""
    return ApiError(
        "untrusted",
        f"the server's certificate is not trusted: {why}",
        remedy="If the chain has an authority of its own, name its certificate: --ca FILE.",
    )


def not_ours(what: str) -> ApiError:
    """An answer that the API never gives."""
    return ApiError(
        "not-ours",
        f"the answer is not one of the API: {what}",
        remedy="Check the chain's address, and whether this client is up to date.",
    )


def not_logged_in(origin: str, why: str) -> ApiError:
    """There is no token that could be sent."""
    return ApiError(
        "not-logged-in", f"{why} at {origin}", remedy=f"Log in: topscoop client login --chain {origin}"
    )


def _plain(text: str) -> str:
    """On one line: words of a server cannot move the terminal's cursor."""
    return "".join(one if one.isprintable() else " " for one in text)[:500]
