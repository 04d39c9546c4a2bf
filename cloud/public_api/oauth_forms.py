"""Forms and refusals of the token endpoint, as RFC 6749 has them: its clients expect these. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from wire_protocol.errors import TopscoopError

_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 20
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(eq=False)
class OAuthRefusal(TopscoopError):
    """A refusal (RFC 6749, 5.2).

    Attributes:
        code: Of the RFC's list.
        detail: For developers; nothing of what was sent.
    """

    code: str
    detail: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def document(self) -> dict[str, str]:
        """The body."""
        return {"error": self.code, "error_description": self.detail}


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """A form's fields; raises OAuthRefusal where it is none, or a field stands twice (RFC 6749, 3.2)."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise OAuthRefusal("invalid_request", f"send a form: {_FORM}")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=False, errors="strict", max_num_fields=_FIELDS_MAX
        )
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "the form cannot be read") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthRefusal("invalid_request", "a field stands twice")
    return found


def credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """A client's id and secret.

    Check 45 (RFC 6749, 2.3 and 2.3.1): in the Authorization header or in the form, never in both.

    Raises:
        OAuthRefusal: They are missing, unreadable, or come twice.
    """
    in_form = "client_secret" in form
    if authorization is None:
        if not in_form or "client_id" not in form:
            raise invalid_client("the client's id and secret are missing")
        return form["client_id"], form["client_secret"]
    if in_form:
        raise OAuthRefusal("invalid_request", "credentials come in the header or in the form, not in both")
    kind, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except ValueError as error:
        raise invalid_client("the Authorization header cannot be read", basic=True) from error
    client, colon, secret = text.partition(":")
    if kind.lower() != "basic" or not colon:
        raise invalid_client("the Authorization header is not Basic", basic=True)
    client, secret = unquote_plus(client), unquote_plus(secret)
    if form.get("client_id", client) != client:
        raise OAuthRefusal("invalid_request", "header and form name different clients")
    return client, secret


def invalid_client(detail: str, *, basic: bool = False) -> OAuthRefusal:
    """401; with the challenge that RFC 6749, 5.2 wants where the header was used."""
    headers = {"WWW-Authenticate": 'Basic realm="topscoop"'} if basic else {}
    return OAuthRefusal("invalid_client", detail, 401, headers)


def form_schema(fields: Mapping[str, str], *required: str) -> dict[str, Any]:
    """`openapi_extra` of a route that takes a form: what its fields are, in words."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                _FORM: {
                    "schema": {
                        "type": "object",
                        "required": list(required),
                        "properties": {
                            name: {"type": "string", "description": words} for name, words in fields.items()
                        },
                    }
                }
            },
        }
    }
