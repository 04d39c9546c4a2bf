"""`/v1/me`: who one is here, everything that is kept of one, and having it erased."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from cloud.database.tenancy import read_tenant
from cloud.public_api.adapters.exporting import Export
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.desk import AtDesk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import problem
from cloud.public_api.routes.erasures import ErasureBegun, begun
from cloud.public_api.scopes import AtCaller, csrf_text
from cloud.public_api.times import rfc3339

router = APIRouter(prefix="/v1/me", tags=["me"])

SHORT: Final = 8
"""Bytes of the pseudonym that are shown: enough to see that it is the same person."""


class Me(BaseModel):
    """Who calls."""

    pseudonym: str = Field(
        description="the beginning of what stands for you in our tables; no name, no address",
        examples=["5f2b8c1d9e3a7046"],
    )
    kind: CallerKind = Field(description="how you showed who you are")
    chain: str = Field(examples=["gelateria-sole"])
    chain_name: str = Field(examples=["Gelateria Sole"])
    csrf: str | None = Field(description="a browser's changing requests carry it in `X-CSRF-Token`")


class _Export(StreamingResponse):
    """A document in pieces that says when it is over, whether its reader stayed to the end or not."""

    def __init__(self, over: Callable[[], None], content: Iterator[bytes], **more: Any) -> None:
        super().__init__(content, **more)
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


@router.get("", summary="Who you are here")
def get_me(desk: AtDesk, caller: AtCaller) -> Me:
    """A pseudonym and the chain."""
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        chain = read_tenant(connection, caller.tenant)
    return Me(
        pseudonym=_short(caller),
        kind=caller.kind,
        chain=caller.tenant,
        chain_name=caller.tenant if chain is None else chain.name,
        csrf=csrf_text(caller) or None,
    )


@router.get(
    "/export",
    summary="Everything that is kept of you",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "uploads, recommendations with outcomes, consents with receipts, hand-overs",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **refusals("too-many-requests"),
    },
)
def export_me(desk: AtDesk, caller: AtCaller) -> StreamingResponse:
    """One JSON document, however long it is. Pictures are sealed: only the chain's keeper opens them."""
    person = (caller.tenant, caller.user)
    if not desk.exports.take(person):
        raise problem("too-many-requests", "another export is being written", headers={"Retry-After": "5"})
    head = {"chain": caller.tenant, "pseudonym": _short(caller), "exported_at": rfc3339(desk.now_ms())}
    everything = Export(desk.database, caller.tenant, caller.user)
    lists = {
        "uploads": everything.uploads(),
        "recommendations": everything.recommendations(),
        "consents": everything.consents(),
        "handovers": everything.handovers(),
    }
    return _Export(
        partial(desk.exports.give_back, person),
        _document(head, lists),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="topscoop-export.json"'},
    )


@router.delete("", summary="Erase everything that is kept of you")
def erase_me(desk: AtDesk, caller: AtCaller) -> ErasureBegun:
    """Uploads, recommendations, consents with their pictures, hand-overs, sessions: gone when this answers.

    The keys of kept pictures are destroyed within seconds after it; the proof says when.
    """
    return begun(desk.erasing.person(caller))


def _short(caller: Caller) -> str:
    return caller.user[:SHORT].hex()


def _document(head: dict[str, Any], lists: dict[str, Iterator[dict[str, Any]]]) -> Iterator[bytes]:
    """JSON in pieces; a row that is deleted meanwhile is in it or not."""
    yield json.dumps(head)[:-1].encode()
    for name, rows in lists.items():
        yield f', "{name}": ['.encode()
        for number, row in enumerate(rows):
            yield (b",\n" if number else b"\n") + json.dumps(row, ensure_ascii=False).encode()
        yield b"]"
    yield b"}\n"
