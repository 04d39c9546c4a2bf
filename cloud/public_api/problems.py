"""What the public API says when it refuses: one closed list of problem documents (RFC 9457).

The `type` of each is a relative reference to its entry in the documentation, `/docs/problems#upload-expired`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wire_protocol.errors import TopscoopError

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One way to be refused.

    Attributes:
        slug: Stable; clients decide by it.
        status: Of HTTP.
        title: Always the same sentence.
        remedy: What the caller does next.
    """

    slug: str
    status: int
    title: str
    remedy: str

    def __call__(self, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> "Problem":
        """This problem as it happened now."""
        return Problem(self, detail, dict(headers or {}), members)


@dataclass(eq=False)
class Problem(TopscoopError):
    """A refused request.

    Attributes:
        kind: Which.
        detail: What exactly was wrong, without any secret and without what others own.
        headers: More of the answer, such as `Retry-After`.
        members: More of the document, such as `errors` by JSON pointer.
    """

    kind: ProblemType
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind.slug}: {self.detail}"

    def document(self) -> dict[str, Any]:
        """The body."""
        return {
            "type": f"/docs/problems#{self.kind.slug}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "remedy": self.kind.remedy,
            **self.members,
        }


_LIST = (
    # The request itself.
    ProblemType("malformed", 400, "The request cannot be read", "Compare it with the API's description."),
    ProblemType("invalid", 422, "A field is missing, unknown or out of bounds", "Correct the named fields."),
    ProblemType("not-found", 404, "There is no such thing here", "Check the address; others' are not shown."),
    ProblemType("method-not-allowed", 405, "This address knows other methods", "See the Allow header."),
    ProblemType("too-large", 413, "The request's body is too large", "Send less."),
    ProblemType("unsupported-type", 415, "This media type is not taken here", "Send JSON, or a JPEG to S3."),
    ProblemType("unknown-chain", 421, "This host belongs to no chain", "Use the chain's own host name."),
    # Who calls.
    ProblemType("not-authenticated", 401, "Nobody is logged in", "Log in, or send a bearer token."),
    ProblemType("bad-token", 401, "The token is not accepted", "Get a new one; see the documentation."),
    ProblemType("not-genuine", 403, "The request was not made by our own page", "Reload the page."),
    ProblemType("login-failed", 400, "The login did not succeed", "Begin again."),
    ProblemType("provider-away", 503, "The identity provider does not answer", "Try again in a minute."),
    # How often.
    ProblemType("too-many-requests", 429, "Too many requests", "Wait as long as Retry-After says."),
    ProblemType("quota-used-up", 429, "The chain's quota of today is used up", "Ask the chain."),
    # Uploads and recommendations.
    ProblemType("key-reused", 409, "The Idempotency-Key was used for another request", "Use a new key."),
    ProblemType("upload-not-there", 409, "The picture has not arrived", "PUT it to the signed URL first."),
    ProblemType("upload-expired", 410, "The URL's time is over", "Ask for a new one."),
    ProblemType("upload-failed", 409, "There will be no recommendation", "See `problem`; upload again."),
    ProblemType("no-recommendation-yet", 409, "There is no recommendation yet", "Wait for it first."),
    ProblemType("erased", 410, "It was erased", "Nothing is left to show."),
    ProblemType("no-model", 503, "The chain has no model that may be used yet", "Try again later."),
    ProblemType("outcome-conflict", 409, "Another outcome was recorded before", "Nothing to do."),
    # Consent.
    ProblemType(
        "consent-missing", 422, "This purpose needs a consent", "Show the notice and send `consent`."
    ),
    ProblemType("notice-unknown", 422, "That notice is not one of this chain", "Show the current notice."),
    ProblemType("handover-over", 410, "The register's code is over", "Ask at the till for a new one."),
    # Us.
    ProblemType("not-ready", 503, "The service cannot do this now", "Try again in a moment."),
    ProblemType("internal", 500, "Something failed on our side", "Try again; tell us if it stays so."),
)
PROBLEMS: Final[Mapping[str, ProblemType]] = {one.slug: one for one in _LIST}
"""All of them, by slug."""


def problem(slug: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Problem:
    """A problem of this list; raises KeyError for a slug that is none."""
    return PROBLEMS[slug](detail, headers=headers, **members)
