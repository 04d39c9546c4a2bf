"""`/v1/handovers`: answering the code on a register's display, and taking the yes back."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.privacy.erasure_plan import Source
from cloud.privacy.records import Records
from cloud.public_api.accept_language import preferred
from cloud.public_api.adapters.handovers import (
    CodeRegister,
    Given,
    consents_of,
    give,
    read_given,
    read_register,
    take_back,
)
from cloud.public_api.bodies import Instant, Sha256Hex
from cloud.public_api.caller import Caller
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.documented import refusals
from cloud.public_api.handover_codes import (
    CodeState,
    agreed_notice,
    check_time,
    read_code,
    state_of,
    verified,
)
from cloud.public_api.problems import problem
from cloud.public_api.routes.menu import AcceptLanguage, Language
from cloud.public_api.scopes import AtCaller
from cloud.public_api.times import rfc3339
from wire_protocol.handover import CODE_MAX_CHARACTERS, Handover
from wire_protocol.notices import choose
from wire_protocol.purposes import Purpose

router = APIRouter(prefix="/v1/handovers", tags=["handovers"])

Code = Annotated[
    str,
    Path(
        min_length=1,
        max_length=CODE_MAX_CHARACTERS,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="what the register's QR code holds after `/c/`",
    ),
]
HandoverId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="of the answer")]


class HandoverNotice(BaseModel):
    """What the register would show on its own display, word for word."""

    language: str
    sha256: Sha256Hex
    text: str
    purposes: list[str]
    valid_days: int
    languages: list[str] = Field(description="those that there are")


class HandoverAnswer(BaseModel):
    """A code, and what has become of it."""

    handover_id: str = Field(description="for taking the yes back", examples=["5f" * 16])
    state: CodeState
    chain: str = Field(description="its name")
    store: str = Field(description="the name of the shop where the register stands")
    expires_at: Instant
    notice: HandoverNotice | None = Field(description="null once it was answered")


class HandoverRequest(BaseModel):
    """The customer's answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    granted: bool
    purposes: Annotated[list[str], Field(max_length=len(Purpose))] = []
    notice_sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    language: Annotated[str | None, Field(max_length=16)] = None


@router.get(
    "/{code}",
    summary="What a register's code asks",
    responses=refusals("invalid", "not-found", "handover-over", "not-ready"),
)
def get_handover(
    *,
    response: Response,
    desk: AtDesk,
    caller: AtCaller,
    code: Code,
    language: Language = None,
    accept_language: AcceptLanguage = None,
) -> HandoverAnswer:
    """The shop, and the notice to show before anybody says yes; later, what has become of one's own yes."""
    response.headers["Cache-Control"] = "no-store"
    said, register, given = _read(desk, caller, code)
    now_ms = desk.now_ms()
    if given is not None:
        return _document(said, register, state_of(_own(given, caller), now_ms))
    check_time(said, now_ms)
    if not register.notices:
        # The register tells with its codes, the keeper writes it down: this is a matter of moments.
        raise problem("not-ready", "the register's notice has not arrived yet", headers={"Retry-After": "1"})
    found = choose(
        register.notices, preferred(language, accept_language, [one.language for one in register.notices])
    )
    notice = HandoverNotice(
        language=found.language,
        sha256=found.sha256.hex(),
        text=found.text,
        purposes=list(found.purposes),
        valid_days=found.valid_days,
        languages=[one.language for one in register.notices],
    )
    return _document(said, register, CodeState.OPEN, notice)


@router.post(
    "/{code}",
    status_code=201,
    summary="Answer a register's code",
    responses={
        200: {
            "model": HandoverAnswer,
            "description": "A no: nothing is written down; or a yes that was given",
        },
        **refusals("invalid", "not-found", "handover-over", "consent-missing", "notice-unknown"),
    },
)
def answer_handover(
    *, response: Response, desk: AtDesk, caller: AtCaller, code: Code, asked: HandoverRequest
) -> HandoverAnswer:
    """A yes reaches the register within a second or two; the first one counts, and a code takes one."""
    response.headers["Cache-Control"] = "no-store"
    said, register, given = _read(desk, caller, code)
    now_ms = desk.now_ms()
    if given is not None:
        response.status_code = 200
        return _document(said, register, state_of(_own(given, caller), now_ms))
    check_time(said, now_ms)
    if not asked.granted:
        response.status_code = 200
        return _document(said, register, CodeState.REFUSED)
    if asked.notice_sha256 is None or asked.language is None or not asked.purposes:
        raise problem("consent-missing", "a yes names `notice_sha256`, `language` and `purposes`")
    digest = bytes.fromhex(asked.notice_sha256)
    notice = agreed_notice(register, asked.language, digest, asked.purposes)
    with desk.database.tenant(caller.tenant) as connection:
        values = {
            "tenant": caller.tenant,
            "handover": said.handover,
            "register": register.register,
            "interaction": said.interaction,
            "user": caller.user,
            "purposes": sorted(asked.purposes),
            "notice": notice.sha256,
            "language": notice.language,
            "granted_at_ms": now_ms,
            "expires_at_ms": said.expires_at_ms,
        }
        if not give(connection, values):
            raced = read_given(connection, caller.tenant, said.handover)
            response.status_code = 200
            state = CodeState.GIVEN if raced is None else state_of(_own(raced, caller), now_ms)
            return _document(said, register, state)
    return _document(said, register, CodeState.GIVEN)


@router.delete(
    "/{handover_id}",
    status_code=204,
    summary="Take a yes back",
    responses=refusals("invalid", "not-found"),
)
def withdraw_handover(desk: AtDesk, caller: AtCaller, handover_id: HandoverId) -> Response:
    """At any time. Its picture is erased; one that has not arrived yet is erased when it arrives."""
    known = bytes.fromhex(handover_id)
    # 1. The yes itself: from here on no consent of it holds, whenever its register sends one.
    with desk.database.tenant(caller.tenant) as connection:
        if not take_back(connection, caller.tenant, caller.user, known):
            raise problem("not-found", "you have given no such yes")
    # 2. The consent, where it has come; the keeper finds one that comes at this very moment.
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        given = read_given(connection, caller.tenant, known)
        ending = [] if given is None else consents_of(connection, caller.tenant, given)
    records = Records(desk.database)
    for consent in ending:
        records.withdraw(caller.tenant, consent, Source.CUSTOMER, desk.now_ms(), actor="customer")
    return Response(status_code=204)


def _read(desk: Desk, caller: Caller, code: str) -> tuple[Handover, CodeRegister, Given | None]:
    unverified = read_code(code)
    claimed = unverified.claimed
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        register = read_register(connection, caller.tenant, claimed.register)
        said = verified(unverified, caller.tenant, register)
        assert register is not None, "verified has looked"
        return said, register, read_given(connection, caller.tenant, said.handover)


def _own(given: Given, caller: Caller) -> Given:
    if given.user != caller.user:
        raise problem("handover-over", "somebody else has answered this code")
    return given


def _document(
    said: Handover, register: CodeRegister, state: CodeState, notice: HandoverNotice | None = None
) -> HandoverAnswer:
    return HandoverAnswer(
        handover_id=said.handover.hex(),
        state=state,
        chain=register.chain,
        store=register.store_name,
        expires_at=rfc3339(said.expires_at_ms),
        notice=notice,
    )
