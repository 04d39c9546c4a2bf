"""`/docs/problems`: every way to be refused, each with its anchor."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.public_api.problems import PROBLEMS

router = APIRouter(include_in_schema=False)


@router.get("/docs/problems")
async def problem_list() -> HTMLResponse:
    """The list, made of the code's own."""
    return HTMLResponse(_PAGE, headers={"Cache-Control": "public, max-age=300"})


_ROWS = "\n".join(
    f'<section id="{one.slug}"><h2>{one.slug}</h2><p><b>{one.status}</b> {escape(one.title)}.</p>'
    f"<p>{escape(one.remedy)}</p></section>"
    for one in PROBLEMS.values()
)
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Problems of the Topscoop API</title>
</head>
<body>
<main>
<h1>Problems</h1>
<p>What this API says when it refuses, as <code>application/problem+json</code> (RFC 9457).</p>
{_ROWS}
</main>
</body>
</html>
"""
