"""`getSignedURL()`: a ticket in the database, and a URL that is good for the one picture it announces."""

import base64
import contextlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection
from starlette.types import Scope

from cloud.intake.signed_urls import Announced, SignedUpload
from cloud.intake.values import ObjectPlace, UploadState
from cloud.public_api.adapters.notices import agree
from cloud.public_api.adapters.uploads import Ticket, insert_ticket, read_by_idempotency
from cloud.public_api.caller import Caller
from cloud.public_api.desk import Desk
from cloud.public_api.problems import Problem, problem
from cloud.public_api.upload_request import UploadRequest, idempotency_of
from wire_protocol.identifiers import uuid7

_DAY_MS: Final = 24 * 3600 * 1000
_ERASED: Final = "the upload of this Idempotency-Key was erased"


@dataclass(frozen=True, slots=True)
class Issued:
    """A ticket and its URL.

    Attributes:
        signed: None where the picture has arrived before: nothing is left to be sent.
        repeated: The same request came before under its Idempotency-Key.
    """

    ticket: Ticket
    signed: SignedUpload | None
    repeated: bool


def issue(desk: Desk, scope: Scope, caller: Caller, asked: UploadRequest, key: str | None) -> Issued:
    """A ticket and its URL, in one transaction; the same ticket again for the same key and request.

    Args:
        desk: What the routes share.
        scope: Of the request, for its counts.
        caller: Whose upload.
        asked: What for.
        key: The Idempotency-Key.

    Raises:
        Problem: `too-large`, `consent-missing`, `notice-unknown`, `too-many-requests`, `quota-used-up`,
            `key-reused`, `upload-expired`, `erased`.
        DatabaseAway: Nothing was kept.
    """
    asked.check(desk.config.public_api.picture_max_bytes)
    now_ms = desk.now_ms()
    idempotency = None if key is None else idempotency_of(caller.user, key)
    with (
        _counted(desk, caller.tenant, asked.content_length, now_ms) as counted,
        desk.database.tenant(caller.tenant) as connection,
    ):
        values = _values(desk, connection, caller, asked, now_ms) | {"idempotency": idempotency}
        is_new = counted.stands = counted.room and insert_ticket(connection, values)
        if is_new:
            ticket = Ticket.new(values)
            desk.limits.upload_of(scope, caller)
        else:
            ticket = _earlier(connection, caller, idempotency, counted)
    if is_new:
        desk.metrics.issued.labels(asked.purpose.value).inc()
    else:
        _check_repetition(ticket, asked, now_ms)
    if ticket.state is not UploadState.ISSUED:
        return Issued(ticket, None, repeated=True)
    return Issued(ticket, _sign(desk, caller.tenant, ticket, asked, now_ms), repeated=not is_new)


def _values(
    desk: Desk, connection: Connection, caller: Caller, asked: UploadRequest, now_ms: int
) -> dict[str, Any]:
    """The row of a new ticket."""
    request = uuid7(now_ms, secrets.token_bytes(10)).bytes
    consent = None
    if asked.consent is not None:
        notice = bytes.fromhex(asked.consent.notice)
        consent = agree(connection, caller.tenant, asked.consent.language, notice, now_ms)
    return {
        "tenant": caller.tenant,
        "request": request,
        "user": caller.user,
        "state": UploadState.ISSUED.value,
        "purpose": asked.purpose.value,
        "content_type": asked.content_type,
        "content_length": asked.content_length,
        "sha256": bytes.fromhex(asked.sha256),
        "object_key": ObjectPlace(caller.tenant, request).key,
        "context": asked.known_context(),
        "fingerprint": asked.fingerprint(),
        "issued_at_ms": now_ms,
        "expires_at_ms": now_ms + desk.config.public_api.ticket_s * 1000,
        "consent": consent,
    }


@dataclass(slots=True)
class _Counted:
    """One upload among those of the chain and the day.

    Attributes:
        used_up: What to answer where the day has no room for a new one.
        stands: A new ticket was written.
    """

    used_up: Problem | None
    stands: bool = False

    @property
    def room(self) -> bool:
        return self.used_up is None


@contextlib.contextmanager
def _counted(desk: Desk, tenant: str, length: int, now_ms: int) -> Iterator[_Counted]:
    """Count it among the chain's uploads of today; what does not stand in the end is given back."""
    per_day = desk.limits.of_now(tenant).uploads_per_day
    day = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
    if not desk.day_quota.take(tenant, day, length, per_day):
        left_s = -(-(_DAY_MS - now_ms % _DAY_MS) // 1000)
        words = f"this chain takes {per_day} uploads a day"
        yield _Counted(problem("quota-used-up", words, headers={"Retry-After": str(left_s)}))
        return
    counted = _Counted(None)
    try:
        yield counted
    except BaseException:
        counted.stands = False
        raise
    finally:
        if not counted.stands:
            desk.day_quota.give_back(tenant, day, length)


def _earlier(connection: Connection, caller: Caller, idempotency: bytes | None, counted: _Counted) -> Ticket:
    """The ticket that the same Idempotency-Key led to before. Raises Problem `quota-used-up`, `erased`."""
    found = None
    if idempotency is not None:
        found = read_by_idempotency(connection, caller.tenant, caller.user, idempotency)
    if found is not None:
        return found
    # With room, its ticket was there a moment ago: it was taken back between the two statements.
    raise counted.used_up or problem("erased", _ERASED)


def _check_repetition(ticket: Ticket, asked: UploadRequest, now_ms: int) -> None:
    """Only the same request may come again, and only while something is left of what it led to.

    Raises:
        Problem: `key-reused`, `upload-expired`, `erased`.
    """
    if ticket.state is UploadState.ERASED:  # its fingerprint went with it
        raise problem("erased", _ERASED)
    if ticket.fingerprint is None or not hmac.compare_digest(ticket.fingerprint, asked.fingerprint()):
        raise problem("key-reused", "another request was sent under this Idempotency-Key before")
    is_over = ticket.state is UploadState.ISSUED and ticket.expires_at_ms <= now_ms
    if ticket.state is UploadState.EXPIRED or is_over:
        raise problem("upload-expired", "nothing was uploaded in time; use a new Idempotency-Key")


def _sign(desk: Desk, tenant: str, ticket: Ticket, asked: UploadRequest, now_ms: int) -> SignedUpload:
    """A URL for what is left of the ticket's life."""
    seconds = max(1, (ticket.expires_at_ms - now_ms) // 1000)
    md5 = None if asked.content_md5 is None else base64.b64decode(asked.content_md5)
    announced = Announced(ticket.content_type, ticket.content_length, ticket.sha256, md5)
    return desk.signer.sign(ObjectPlace(tenant, ticket.request), announced, seconds)
