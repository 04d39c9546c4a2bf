"""`/v1/uploads`: get a one-time signed URL, ask what became of it, say that the picture is there."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from cloud.intake.arrivals import Arrived, Source
from cloud.intake.values import ObjectPlace, Purpose, UploadProblem, UploadState
from cloud.public_api.adapters.uploads import Ticket, read_ticket
from cloud.public_api.caller import Caller
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import problem
from cloud.public_api.request_ids import EXAMPLE, AtRequest, maybe_instant, spelled
from cloud.public_api.scopes import AtCaller
from cloud.public_api.tickets import Issued, issue
from cloud.public_api.times import rfc3339
from cloud.public_api.upload_request import IDEMPOTENCY_KEY, UploadRequest

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


class Links(BaseModel):
    """Where to go on, relative to this host."""

    self: str
    complete: str = Field(description="POST here after the PUT, where the store reports nothing by itself")
    recommendation: str


class UploadTicket(BaseModel):
    """Permission to upload one picture once."""

    request_id: str = Field(description="UUID version 7", examples=[EXAMPLE])
    state: UploadState
    url: str | None = Field(
        description="PUT the picture here; it is a secret. null: the picture has arrived before",
        examples=["https://s3.example/topscoop-intake/intake/…?X-Amz-Signature=…"],
    )
    method: str = "PUT"
    headers: dict[str, str] = Field(description="send exactly these with it; a browser adds the length")
    expires_at: str = Field(description="RFC 3339", examples=["2026-11-23T12:00:00.000Z"])
    links: Links


class Upload(BaseModel):
    """What became of an upload."""

    request_id: str = Field(examples=[EXAMPLE])
    state: UploadState
    purpose: Purpose
    content_type: str
    content_length: int
    sha256: str
    issued_at: str
    expires_at: str = Field(description="of the signed URL")
    arrived_at: str | None
    ended_at: str | None
    problem: UploadProblem | None = Field(description="why there will be no recommendation")
    picture_deleted_at: str | None = Field(description="the picture is gone from the intake bucket")
    links: Links


@router.post(
    "",
    status_code=201,
    summary="Get a one-time signed URL",
    responses={
        200: {"model": UploadTicket, "description": "The same request came before under its key"},
        **refusals(
            "too-large",
            "consent-missing",
            "notice-unknown",
            "quota-used-up",
            "key-reused",
            "upload-expired",
            "erased",
        ),
    },
)
def begin_upload(
    *,
    request: Request,
    response: Response,
    desk: AtDesk,
    caller: AtCaller,
    asked: UploadRequest,
    idempotency_key: Annotated[
        str | None,
        Header(pattern=f"^{IDEMPOTENCY_KEY}$", description="the same key and body lead to the same upload"),
    ] = None,
) -> UploadTicket:
    """A URL for one PUT of exactly this picture, good for a minute at most.

    A picture is small: there are no multipart uploads. The original should be scaled down before it is sent;
    the model looks at 160 by 160 pixels.
    """
    issued = issue(desk, request.scope, caller, asked, idempotency_key)
    response.headers["Location"] = _links(issued.ticket.request).self
    if issued.repeated:
        response.status_code = 200
        response.headers["Idempotency-Replayed"] = "true"
    return _ticket_document(issued)


@router.get("/{request_id}", summary="What became of an upload", responses=refusals("not-found"))
def get_upload(desk: AtDesk, caller: AtCaller, request_id: AtRequest) -> Upload:
    """Its state; `done` and `failed` are ends, as are `expired` and `erased`."""
    return _upload_document(_own(desk, caller, request_id))


@router.post(
    "/{request_id}/complete",
    summary="Say that the picture is there",
    responses=refusals("not-found", "upload-not-there", "upload-failed", "upload-expired", "erased"),
)
def complete_upload(desk: AtDesk, caller: AtCaller, request_id: AtRequest) -> Upload:
    """May be called as often as one likes; where the store reports uploads by itself it changes nothing."""
    ticket = _own(desk, caller, request_id)
    if ticket.state is UploadState.ISSUED:
        arrived = desk.arrivals.heard(ObjectPlace(caller.tenant, request_id), Source.COMPLETE)
        ticket = _own(desk, caller, request_id)
        if arrived is Arrived.NOTHING and ticket.state is UploadState.ISSUED:
            if ticket.expires_at_ms <= desk.now_ms():
                raise problem("upload-expired", "nothing was uploaded, and the URL's time is over")
            raise problem("upload-not-there", "no picture is at the signed URL yet")
    if ticket.state is UploadState.ERASED:
        raise problem("erased", "this upload was erased")
    if ticket.state is UploadState.EXPIRED:
        raise problem("upload-expired", "the picture came too late, or not at all")
    if ticket.state is UploadState.FAILED:
        raise problem("upload-failed", "there will be no recommendation", problem=ticket.problem)
    return _upload_document(ticket)


def _own(desk: Desk, caller: Caller, request: bytes) -> Ticket:
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        ticket = read_ticket(connection, caller.tenant, caller.user, request)
    if ticket is None:
        raise problem("not-found", "you have no upload of this id")
    return ticket


def _links(request: bytes) -> Links:
    this = f"/v1/uploads/{spelled(request)}"
    return Links(
        self=this, complete=f"{this}/complete", recommendation=f"/v1/recommendations/{spelled(request)}"
    )


def _ticket_document(issued: Issued) -> UploadTicket:
    ticket, signed = issued.ticket, issued.signed
    return UploadTicket(
        request_id=spelled(ticket.request),
        state=ticket.state,
        url=None if signed is None else signed.url,
        headers={} if signed is None else dict(signed.headers),
        expires_at=rfc3339(ticket.expires_at_ms),
        links=_links(ticket.request),
    )


def _upload_document(ticket: Ticket) -> Upload:
    return Upload(
        request_id=spelled(ticket.request),
        state=ticket.state,
        purpose=ticket.purpose,
        content_type=ticket.content_type,
        content_length=ticket.content_length,
        sha256=ticket.sha256.hex(),
        issued_at=rfc3339(ticket.issued_at_ms),
        expires_at=rfc3339(ticket.expires_at_ms),
        arrived_at=maybe_instant(ticket.arrived_at_ms),
        ended_at=maybe_instant(ticket.ended_at_ms),
        problem=ticket.problem,
        picture_deleted_at=maybe_instant(ticket.deleted_at_ms),
        links=_links(ticket.request),
    )
