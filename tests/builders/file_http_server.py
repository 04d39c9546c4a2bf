"""Files over HTTP with ranges, as a CDN serves them, and a hook that lets a test make it misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from pathlib import Path

Misbehave = Callable[[BaseHTTPRequestHandler], bool]
"""Answers in our place and says so by True."""
Content = Callable[[str], bytes | None]


class FileHttpServer:
    """Serves a folder, or what a function gives for a path, on a port of its own."""

    def __init__(self, source: Path | Content, misbehave: Misbehave | None = None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.misbehave = misbehave
        content = source if callable(source) else _folder(source)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers["Range"]))
                if outer.misbehave is not None and outer.misbehave(self):
                    return
                body = content(self.path.removeprefix("/"))
                if body is None:
                    self.send_error(404)
                    return
                begin = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
                if begin:
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - begin))
                self.end_headers()
                self.wfile.write(body[begin:])

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Of the folder, with a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _folder(folder: Path) -> Content:
    def content(path: str) -> bytes | None:
        file = folder / unquote(path)
        return file.read_bytes() if file.is_file() else None

    return content
