"""Releases: what was signed, how good it is, where it comes from, and how the repository is."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.console.adapters.register import flavour_names
from cloud.console.adapters.releases import read_courses, read_release, read_releases, read_repository
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.live import Parts
from cloud.console.live_pages import LivePage
from cloud.console.rendering import fragment, show, show_live
from cloud.console.scopes import Viewer
from cloud.console.views.releases import (
    Release,
    Repository,
    fairness,
    lineage,
    may_roll_out,
    quality,
    repository_facts,
    repository_words,
    standing,
)
from cloud.principal import Principal, Role
from wire_protocol.release_metadata import RELEASE_MAX

router = APIRouter()
_PARTS = "release_parts.html"


@router.get("/releases")
def releases_page(request: Request, desk: AtDesk, principal: Annotated[Principal, Viewer]) -> Response:
    """All of them, the newest first."""
    repository, found = _read(desk, principal)
    return show_live(
        request,
        "releases.html",
        _parts(repository, found, desk.now_ms()),
        repository=repository,
        releases=found,
        may_plan=principal.role.includes(Role.OPERATOR),
    )


@router.get("/releases/{release}")
def release_page(
    request: Request, desk: AtDesk, principal: Annotated[Principal, Viewer], release: str
) -> Response:
    """One of them."""
    if not release.isascii() or not release.isdigit() or len(release) > 10 or int(release) > RELEASE_MAX:
        raise NotFound("a release is called by its number", remedy="The releases page has them all.")
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        found = read_release(connection, principal, int(release))
        repository = read_repository(connection, principal)
        courses = read_courses(connection, principal, found.release)
    return show(
        request,
        "release.html",
        release=found,
        badges=standing(found, repository),
        quality=quality(found),
        fairness=fairness(found.report),
        lineage=lineage(found),
        flavours=flavour_names(found.manifest),
        courses=courses,
        may_plan=principal.role.includes(Role.OPERATOR) and may_roll_out(found, repository),
    )


def _live(desk: Desk, principal: Principal, _: Mapping[str, str], __: Mapping[str, str]) -> Parts:
    return _parts(*_read(desk, principal), desk.now_ms())


LIVE = (LivePage("/releases", _live),)


def _read(desk: Desk, principal: Principal) -> tuple[Repository | None, list[Release]]:
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        return read_repository(connection, principal), read_releases(connection, principal)


def _parts(repository: Repository | None, found: list[Release], now_ms: int) -> Parts:
    health = []
    if repository is not None:
        words, facts = repository_words(repository, now_ms), repository_facts(repository, now_ms)
        health = [("repository", fragment(_PARTS, "repository", words, facts))]
    rows = [
        (str(one.release), fragment(_PARTS, "row", one, standing(one, repository), now_ms)) for one in found
    ]
    return {"repository": health, "releases": rows}
