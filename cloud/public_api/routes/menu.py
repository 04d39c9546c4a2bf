"""What a chain sells, and what a person reads before they agree that a picture is kept."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response

from cloud.public_api.accept_language import preferred
from cloud.public_api.adapters.menus import read_menu
from cloud.public_api.adapters.notices import read_notices
from cloud.public_api.answer_documents import written
from cloud.public_api.bodies import MenuAnswer, NoticeAnswer
from cloud.public_api.conditional import etag, has_it
from cloud.public_api.desk import AtDesk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import problem
from cloud.public_api.routes.recommendations import JSON, IfNoneMatch
from cloud.public_api.scopes import AtCaller
from cloud.public_api.tenants import AtTenant
from wire_protocol.notices import choose

ENGLISH: Final = "en"
_FRESH_S: Final = 60

router = APIRouter()

Language = Annotated[
    str | None, Query(max_length=35, description="Such as `de`; without it, as Accept-Language says")
]
AcceptLanguage = Annotated[str | None, Header(max_length=1000)]


@router.get(
    "/v1/menu",
    tags=["recommendations"],
    response_model=None,
    responses={
        200: {"model": MenuAnswer, "description": "In the order of the model"},
        304: {"description": "What you have is what there is"},
        **refusals("invalid", "no-model"),
    },
)
def get_menu(
    desk: AtDesk,
    caller: AtCaller,
    language: Language = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Get the flavours that the chain's model knows."""
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        found = read_menu(connection, caller.tenant)
    if found is None:
        raise problem("no-model", "no release of this chain may be used yet", headers={"Retry-After": "60"})
    there = {name for one in found.flavours.values() for name in one["names"]}
    chosen = preferred(language, accept_language, there) or ENGLISH
    document = {
        "release": found.release,
        "model": found.version,
        "language": chosen,
        "flavours": [
            {
                "flavour": flavour,
                "name": one["names"].get(chosen, one["names"][ENGLISH]),
                "names": one["names"],
                "colour": one["colour"],
            }
            for flavour, one in found.flavours.items()
        ],
    }
    return _fresh(written(document), if_none_match, "private", "Authorization, Cookie, Accept-Language")


@router.get(
    "/v1/notice",
    tags=["consent"],
    response_model=None,
    responses={
        200: {"model": NoticeAnswer, "description": "Show it before you send `consent`"},
        304: {"description": "What you have is what there is"},
        **refusals("invalid", "not-found"),
    },
)
def get_notice(
    desk: AtDesk,
    tenant: AtTenant,
    language: Language = None,
    accept_language: AcceptLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Get the notice in a language, else in English; everybody may read it."""
    with desk.database.tenant(tenant, read_only=True) as connection:
        shown = read_notices(connection, tenant)
    if not shown:
        raise problem("not-found", "this chain shows no notice")
    there = [one.language for one in shown]
    found = choose(shown, preferred(language, accept_language, there))
    document = {
        "language": found.language,
        "sha256": found.sha256.hex(),
        "text": found.text,
        "purposes": list(found.purposes),
        "languages": there,
    }
    return _fresh(written(document), if_none_match, "public", "Accept-Language")


def _fresh(body: bytes, if_none_match: str | None, whose: str, vary: str) -> Response:
    headers = {"Cache-Control": f"{whose}, max-age={_FRESH_S}", "Vary": vary, "ETag": etag(body)}
    if has_it(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)
