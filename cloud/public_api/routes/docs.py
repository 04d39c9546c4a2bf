"""The API's documentation, from here alone: `/docs`, `/docs/problems`, `/openapi.json`."""

import hashlib
from html import escape
from importlib import resources
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from cloud.public_api.desk import AtDesk
from cloud.public_api.openapi import served
from cloud.public_api.problems import MEDIA_TYPE, PROBLEMS

router = APIRouter(include_in_schema=False)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
KEPT: Final = {"Cache-Control": "public, max-age=300"}
"""The same for everybody; a new version is seen after five minutes."""
_HTML: Final = "text/html; charset=utf-8"

IfNoneMatch = Annotated[str | None, Header(max_length=2000)]


@router.get("/openapi.json")
def openapi(desk: AtDesk, if_none_match: IfNoneMatch = None) -> Response:
    """The description, for generated clients."""
    return _answer(served(desk.config.public_api.public_url), "application/json", if_none_match)


@router.get("/docs")
async def docs(if_none_match: IfNoneMatch = None) -> Response:
    """The description, for people."""
    return _answer(_PAGE, _HTML, if_none_match)


@router.get("/docs/docs.js")
async def script(if_none_match: IfNoneMatch = None) -> Response:
    """What shows it."""
    return _answer(_SCRIPT, "text/javascript; charset=utf-8", if_none_match)


@router.get("/docs/docs.css")
async def style(if_none_match: IfNoneMatch = None) -> Response:
    """How it looks."""
    return _answer(_STYLE, "text/css; charset=utf-8", if_none_match)


@router.get("/docs/problems")
async def problems(if_none_match: IfNoneMatch = None) -> Response:
    """Every way to be refused; the `type` of a problem document leads to its anchor."""
    return _answer(_PROBLEMS, _HTML, if_none_match)


def _answer(body: bytes, media_type: str, if_none_match: str | None) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**KEPT, "ETag": etag, "Content-Security-Policy": POLICY}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _problem_page() -> bytes:
    rows = "\n".join(
        f'<tr id="{one.slug}"><th scope="row"><code>{one.slug}</code></th><td>{one.status}</td>'
        f"<td>{escape(one.title)}</td><td>{escape(one.remedy)}</td></tr>"
        for one in PROBLEMS.values()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Problems of the Topscoop API</title>
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<header>
<h1>Problems</h1>
<p>What this API says when it refuses, as <code>{MEDIA_TYPE}</code> (RFC 9457). <a href="/docs">API</a></p>
</header>
<main>
<table>
<thead><tr><th scope="col">type</th><th scope="col">status</th><th scope="col">what</th>
<th scope="col">what to do</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
""".encode()


_PAGE: Final = resources.files("cloud.public_api").joinpath("api_docs/index.html").read_bytes()
_SCRIPT: Final = resources.files("daemon").joinpath("api_docs/docs.js").read_bytes()
_STYLE: Final = resources.files("daemon").joinpath("api_docs/docs.css").read_bytes()
_PROBLEMS: Final = _problem_page()
