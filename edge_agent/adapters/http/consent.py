"""The notice, the customer's answer, and taking it back. Only there where the uplink is switched on."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.guard import PAIRED
from edge_agent.adapters.http.interactions import JSON, known_id
from edge_agent.adapters.http.problems import Problem
from edge_agent.adapters.http.schemas import (
    ConsentAnswer,
    ConsentRequest,
    NoticeAnswer,
    WithdrawalAnswer,
    WithdrawalRequest,
)
from edge_agent.errors import BadRequestError, NothingToAnswerError, WithdrawalRefusedError
from edge_agent.uplink.consent_desk import Granted, Yes
from edge_agent.uplink.consent_loop import Answer, Consents
from wire_protocol.consent import Method, Purpose

SCHEMAS = (ConsentRequest, ConsentAnswer, NoticeAnswer, WithdrawalRequest, WithdrawalAnswer)
_DIGEST_SYMBOLS = 64


def routes(consents: Consents) -> APIRouter:
    """`GET /v1/notice`, `POST` and `GET …/{id}/consent`, `POST /v1/consents/{id}/withdrawal`."""
    router = APIRouter(tags=["consent"])

    @router.get("/v1/notice", responses=bodies.answers({200: ("The notice", NoticeAnswer)}))
    async def notice(language: str | None = None) -> Response:
        """What to show a customer before asking; an unknown language gets the fallback."""
        shown = consents.notice(language)
        answer = {
            "language": shown.language,
            "text": shown.text,
            "sha256": shown.sha256.hex(),
            "purposes": list(shown.purposes),
            "valid_days": shown.valid_days,
        }
        return Response(orjson.dumps(answer), media_type=JSON)

    @router.post(
        "/v1/interactions/{interaction_id}/consent",
        status_code=HTTPStatus.CREATED,
        openapi_extra=bodies.described(ConsentRequest),
        responses=bodies.answers(
            {
                201: ("A yes: durable", ConsentAnswer),
                200: ("A no: the picture is overwritten; or a repetition: the same answer", ConsentAnswer),
            },
            (HTTPStatus.CONFLICT, "Answered otherwise before, or nothing waits for an answer"),
            (HTTPStatus.UNPROCESSABLE_ENTITY, "Another notice was shown"),
            (
                HTTPStatus.SERVICE_UNAVAILABLE,
                "No consent blank is left, or the disk refused: nothing is kept",
            ),
        ),
    )
    async def consent(interaction_id: str, request: Request) -> Response:
        """Say what the customer answered; until then the picture is in memory only."""
        known = known_id(interaction_id)
        body = await bodies.read(request, ConsentRequest)
        granted, repeated = await consents.answer(
            known, Answer(_yes(body, request) if body.granted else None)
        )
        status = HTTPStatus.OK if granted is None or repeated else HTTPStatus.CREATED
        return Response(orjson.dumps(_answer(granted)), status, media_type=JSON)

    @router.get(
        "/v1/interactions/{interaction_id}/consent",
        responses=bodies.answers(
            {200: ("What was answered on the display", ConsentAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.CONFLICT, "Nothing was answered yet, or long ago"),
        ),
    )
    async def slip(interaction_id: str, request: Request) -> Response:
        """What belongs on the customer's slip, for the till that prints it; needs the pairing token."""
        known = known_id(interaction_id)
        if not request.scope.get(PAIRED, False):
            raise _unpaired("Only a paired till may read withdrawal codes.")
        granted = consents.answered(known)
        if granted is None:
            raise NothingToAnswerError(
                f"no yes to interaction {known} is remembered",
                remedy="Listen to the event `consent` with state `granted`, then ask.",
            )
        return Response(orjson.dumps(_answer(granted)), media_type=JSON)

    @router.post(
        "/v1/consents/{consent_id}/withdrawal",
        openapi_extra=bodies.described(WithdrawalRequest),
        responses=bodies.answers(
            {200: ("Withdrawn, durably", WithdrawalAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.FORBIDDEN, "Another code"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "The disk refused; nothing happened, try again"),
        ),
    )
    async def withdrawal(consent_id: str, request: Request) -> Response:
        """Take a consent back with the code on the slip; at any time, however old."""
        body = await bodies.read(request, WithdrawalRequest)
        try:
            known = UUID(consent_id)
        except ValueError:
            raise WithdrawalRefusedError(
                f"{consent_id[:40]!r} is no id of a consent", remedy="It stands on the slip, with the code."
            ) from None
        await consents.withdraw(known, body.withdrawal_code)
        answer = {"consent_id": str(known), "withdrawn": True}
        return Response(orjson.dumps(answer), media_type=JSON)

    return router


def _yes(body: ConsentRequest, request: Request) -> Yes:
    if body.language is None or body.notice_sha256 is None or body.method is None or not body.purposes:
        raise BadRequestError(
            "a yes needs language, notice_sha256, method and purposes",
            remedy="Take language, sha256 and purposes from GET /v1/notice.",
        )
    if Method(body.method) is not Method.TOUCH and not request.scope.get(PAIRED, False):
        raise _unpaired("A page without pairing token may only tell what was touched on it.")
    try:
        digest = bytes.fromhex(body.notice_sha256)
    except ValueError:
        digest = b""
    if len(digest) * 2 != _DIGEST_SYMBOLS:
        raise BadRequestError(
            "notice_sha256 must be 64 hexadecimal digits", remedy="Send the sha256 of GET /v1/notice."
        )
    purposes = tuple(sorted({Purpose(purpose) for purpose in body.purposes}))
    return Yes(purposes, digest, body.language.lower(), Method(body.method))


def _answer(granted: Granted | None) -> dict[str, Any]:
    if granted is None:
        return {"granted": False}
    return {
        "granted": True,
        "consent_id": str(granted.consent_id),
        "withdrawal_code": granted.withdrawal_code,
        "expires_at": datetime.fromtimestamp(granted.expires_at_ms / 1000, tz=UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
    }


def _unpaired(detail: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "pairing-token-required",
        detail,
        remedy="Send `Authorization: Bearer <token>`.",
        headers={"WWW-Authenticate": 'Bearer realm="topscoop"'},
    )
