"""Templates: read once, escaped always, undefined names are errors."""

from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cloud.console.desk import Desk, desk_of
from cloud.console.live import Parts, known, state
from cloud.console.navigation import ENTRIES, is_current
from cloud.console.words import FILTERS
from cloud.static_files import StaticFiles

_HERE: Final = Path(__file__).parent
THEMES: Final = ("system", "light", "dark")


STATIC: Final = StaticFiles(_HERE / "static")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(static=STATIC.path, entries=ENTRIES, is_current=is_current, themes=THEMES)
    return made


_ENVIRONMENT: Final = _environment()


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page.

    Args:
        request: Whom it is for; its scope's dependency has read who it is.
        template: Its file in `templates/`.
        status: HTTP status.
        values: What the template names.
    """
    return HTMLResponse(
        _ENVIRONMENT.get_template(template).render(**_common(request), **values), status_code=status
    )


def show_live(request: Request, template: str, parts: Parts, **values: Any) -> HTMLResponse:
    """A page with live parts: the template finds them as `live`, by list, ready to be put in."""
    marked = {name: [Markup(html) for _, html in rows] for name, rows in parts.items()}  # noqa: S704 - ours
    return show(request, template, live=marked, live_since=state(known(parts)), **values)


def fragment(template: str, macro: str, *arguments: Any) -> str:
    """What one macro of a template makes; the pages' live parts."""
    module = _ENVIRONMENT.get_template(template).module
    return str(getattr(module, macro)(*arguments))


def _common(request: Request) -> dict[str, Any]:
    desk: Desk = desk_of(request)
    theme = request.cookies.get(desk.cookies.theme, "")
    return {
        "visit": getattr(request.state, "visit", None),
        "theme": theme if theme in THEMES else "system",
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "now_ms": desk.now_ms(),
        "environment": desk.config.environment,
    }
