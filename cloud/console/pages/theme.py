"""Light or dark: a person's choice, kept in their browser; without one, as their system has it."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from cloud.console.desk import AtDesk
from cloud.console.local_path import local_path
from cloud.console.rendering import THEMES
from cloud.console.scopes import Viewer
from cloud.principal import Principal

router = APIRouter()
_YEAR_S = 365 * 86_400


@router.post("/theme")
def choose(
    principal: Annotated[Principal, Viewer],  # noqa: ARG001 - the scope
    desk: AtDesk,
    theme: Annotated[str, Form()],
    goal: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Keep the choice and go back to the page."""
    answer = RedirectResponse(local_path(goal), 303)
    answer.set_cookie(
        desk.cookies.theme,
        theme if theme in THEMES else "system",
        max_age=_YEAR_S,
        path="/",
        secure=desk.cookies.secure,
        httponly=True,
        samesite="lax",
    )
    return answer
