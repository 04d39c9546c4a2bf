"""The pages for phones: shells in the visitor's language, and their static files.

A route shows a page with `show`; what each template needs beside the common values:

    try.html       issuers: as for login.html; csrf: the session's, None where nobody is logged in
    handover.html  code: of the address; issuers, csrf: as above
    login.html     issuers: `Issuer`s, one button each; goal: the path to go to afterwards
    device.html    step: `type`, `confirm`, `done` or `denied`; code: as typed or given (or ""); csrf: the
                   session's, for `confirm`; wrong: whether the typed code is none. `type` is a GET form with
                   `user_code`; `confirm` a POST form with `user_code`, `csrf` and `answer` (`yes`, `no`)
    failure.html   failure: which of the texts `failure_<failure>_title` and `…_text`
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select

from cloud.database.schema import tenants
from cloud.public_api.desk import Desk
from cloud.public_api.pages.languages import (
    COOKIE,
    LANGUAGES,
    choose_language,
    filled,
)
from cloud.public_api.pages.policy import PERMISSIONS, page_policy
from cloud.static_files import StaticFiles

_HERE: Final = Path(__file__).parent
FAILURE: Final = "failure.html"
KEEP_LANGUAGE_S: Final = 365 * 24 * 3600
STATIC: Final = StaticFiles(_HERE.parent / "static", _HERE / "texts")
TEXTS: Final[dict[str, dict[str, str]]] = {
    one: json.loads((_HERE / "texts" / f"{one}.json").read_text("utf-8")) for one in LANGUAGES
}
"""Every text by language and key; each language has all keys of the others (a test looks)."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A button of the login.

    Attributes:
        path: Where it leads, without the goal: `/login/0`.
        label: The identity provider's name, as the chain wrote it.
    """

    path: str
    label: str


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, in the language that the visitor asked for, kept, or prefers. Raises DatabaseAway.

    Args:
        request: Of the chain that the front door found; `failure.html` needs none, and names none.
        template: Its file in `templates/`.
        status: HTTP status.
        values: What the template names; see the list above.
    """
    desk: Desk = request.app.state.desk
    asked = request.query_params.get("language")
    language = choose_language(asked, request.cookies.get(COOKIE), request.headers.get("accept-language"))
    # A failure may be the database's; and the chain's, which may be none.
    chain = "Topscoop" if template == FAILURE else _chain(desk, request.state.tenant)
    words = _Words(TEXTS[language], chain)
    html = _ENVIRONMENT.get_template(template).render(
        language=language, words=words, chain=chain, path=request.url.path, status=status, **values
    )
    headers = {
        "Content-Security-Policy": page_policy(desk.signer.base),
        "Permissions-Policy": PERMISSIONS,
        "Content-Language": language,
        "Vary": "Accept-Language, Cookie",
    }
    answer = HTMLResponse(html, status, headers)
    if asked is not None:
        secure = desk.tenants.hosts.secure
        answer.set_cookie(COOKIE, language, max_age=KEEP_LANGUAGE_S, path="/", secure=secure, samesite="lax")
    return answer


class _Words:
    """The texts of one language, for a template: `words("login_with", provider="…")`."""

    def __init__(self, texts: dict[str, str], chain: str) -> None:
        self._texts = texts
        self._chain = chain

    def __call__(self, key: str, **values: str) -> str:
        return filled(self._texts[key], {"chain": self._chain} | values)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names: Sequence[tuple[str, str]] = [(one, TEXTS[one]["name_of_language"]) for one in LANGUAGES]
    made.globals.update(static=STATIC.path, languages=names, language_cookie=COOKIE)
    return made


_ENVIRONMENT: Final = _environment()


def _chain(desk: Desk, tenant: str) -> str:
    """The chain's name, for people."""
    statement = select(tenants.c.name).where(tenants.c.tenant == tenant)
    with desk.database.tenant(tenant, read_only=True) as connection:
        return str(connection.execute(statement).scalar_one())
