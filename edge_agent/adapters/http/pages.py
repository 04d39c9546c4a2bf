"""The pages that the agent serves from its own package: the customer display and the API's documentation."""

import hashlib
from importlib import resources

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOLDERS = (
    ("/display", "edge_agent", "display"),
    ("/docs", "edge_agent", "api_docs"),
    ("/docs", "daemon", "api_docs"),  # what shows a description, here and in the cloud
)


class _Asset:
    """One file, read once at the start: a page must not fail because a disk did."""

    def __init__(self, content: bytes, media_type: str) -> None:
        self.content = content
        self.headers = {
            "content-type": media_type,
            "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            # An updated agent must not meet scripts of the last one.
            "cache-control": "no-cache",
        }

    async def __call__(self, request: Request) -> Response:
        if request.headers.get("if-none-match") == self.headers["etag"]:
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)


def routes() -> APIRouter:
    """One route per file: no path is ever joined, so none can climb out."""
    router = APIRouter(include_in_schema=False)
    for address, package, folder in _FOLDERS:
        for file in sorted(resources.files(package).joinpath(folder).iterdir(), key=lambda entry: entry.name):
            suffix = file.name[file.name.rfind(".") :]
            if suffix not in _TYPES:
                continue
            asset = _Asset(file.read_bytes(), _TYPES[suffix])
            path = address if file.name == "index.html" else f"{address}/{file.name}"
            router.add_route(path, asset.__call__, methods=["GET"], include_in_schema=False)
    return router
