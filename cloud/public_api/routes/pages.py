"""The pages for phones: `/try`, the register's code `/c/{code}`, and the files that they need."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from cloud.public_api.desk import AtDesk
from cloud.public_api.login_choices import login_choices
from cloud.public_api.pages.rendering import STATIC, show
from cloud.public_api.scopes import AtVisitor, csrf_text
from cloud.public_api.tenants import AtTenant

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home() -> Response:
    """The first page."""
    return RedirectResponse("/try", 303)


@router.get("/try")
def try_page(request: Request, desk: AtDesk, tenant: AtTenant, visitor: AtVisitor) -> Response:
    """A picture from the phone's camera, and three flavours."""
    csrf = None if visitor is None else csrf_text(visitor)
    return show(request, "try.html", issuers=login_choices(desk, tenant), csrf=csrf)


@router.get("/c/{code}")
def handover_page(
    request: Request,
    desk: AtDesk,
    tenant: AtTenant,
    visitor: AtVisitor,
    code: Annotated[str, Path(max_length=1000)],
) -> Response:
    """Where a register's code leads: the question whether the picture may be kept."""
    csrf = None if visitor is None else csrf_text(visitor)
    return show(request, "handover.html", code=code, issuers=login_choices(desk, tenant), csrf=csrf)


@router.get("/static/{digest}/{name:path}")
async def static(digest: str, name: str) -> Response:
    """A file of the pages."""
    return STATIC.answer(digest, name)
