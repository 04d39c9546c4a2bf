"""From a small JPEG to an upload that has arrived: ticket, PUT to the store, and saying so.

A URL whose time is over is replaced here, without a question.
"""

import hashlib
import secrets
from typing import Final
from urllib.parse import urlsplit

import httpx

from api_client.errors import ApiError, not_ours
from api_client.generated.api.uploads import begin_upload, complete_upload
from api_client.generated.client import AuthenticatedClient
from api_client.generated.models import (
    Circumstances,
    ConsentGiven,
    Purpose,
    Upload,
    UploadRequest,
    UploadTicket,
)
from api_client.generated.types import UNSET
from api_client.speaking import expect
from api_client.transport import TIMEOUT, send

_ATTEMPTS: Final = 3
_RENEWED: Final = frozenset({"upload-expired", "upload-not-there", "store-refused"})
_THERE_ALREADY: Final = 412


def described(
    picture: bytes, purpose: Purpose, consent: ConsentGiven | None, context: Circumstances | None
) -> UploadRequest:
    """What is announced of a picture."""
    return UploadRequest(
        content_length=len(picture),
        sha256=hashlib.sha256(picture).hexdigest(),
        purpose=purpose,
        consent=UNSET if consent is None else consent,
        context=UNSET if context is None else context,
    )


def upload(
    api: AuthenticatedClient, store: httpx.BaseTransport, picture: bytes, wanted: UploadRequest
) -> str:
    """Upload a picture; its request id.

    Args:
        api: With the caller's token.
        store: The way to the store: without any token.
        picture: The JPEG, of which `wanted` tells.
        wanted: See `described`.

    Raises:
        ApiError: As the API refused; `store-refused` when three URLs in a row did not take it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        ticket = expect(
            UploadTicket,
            lambda: begin_upload.sync(client=api, body=wanted, idempotency_key=secrets.token_hex(16)),
        )
        try:
            _put(api, store, ticket, picture)
            expect(Upload, lambda: complete_upload.sync(ticket.request_id, client=api))  # noqa: B023 - called here
        except ApiError as error:
            if error.slug not in _RENEWED or attempt == _ATTEMPTS:
                raise
        else:
            return ticket.request_id
    raise AssertionError


def _put(api: AuthenticatedClient, store: httpx.BaseTransport, ticket: UploadTicket, picture: bytes) -> None:
    """PUT it; straight over the transport, so that no log of httpx's names the signed URL."""
    url = ticket.url
    if url is None or urlsplit(url).scheme not in {"https", str(api.get_httpx_client().base_url.scheme)}:
        raise not_ours("no URL that may be used")
    request = httpx.Request(
        ticket.method if isinstance(ticket.method, str) else "PUT",
        url,
        headers=ticket.headers.additional_properties,
        content=picture,
        extensions={"timeout": TIMEOUT.as_dict()},
    )
    response = send(store, request)
    # 412: it is there already, and only the answer to it was lost.
    if response.is_error and response.status_code != _THERE_ALREADY:
        raise ApiError(
            "store-refused",
            f"the store did not take the picture ({response.status_code})",
            remedy="Check this machine's clock and network, and try again.",
            status=response.status_code,
        )
