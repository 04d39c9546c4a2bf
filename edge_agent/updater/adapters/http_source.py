"""Files over HTTP(S): one request at a time, nothing followed, everything bounded; the standard library's."""

import contextlib
import http.client
import ssl
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from edge_agent.updater.adapters.pipe import now_ms
from edge_agent.updater.transfer import Budget, FetchFailed, FileMissing, TransferLimits
from wire_protocol.limits import FILE_MAX_BYTES

READ_TIMEOUT_S: Final = 15.0
_PIECE_BYTES: Final = 32_768
_SAFE: Final = "/?%:@!$&'()*+,;=~-._"
"""What a URL may hold as it is; the rest of an odd name is escaped here, `%` is escaped already."""
_OK, _PARTIAL, _BEYOND = 200, 206, 416
_MISSING: Final = frozenset({403, 404, 410})
"""A store that nobody may list answers 403 for what is not there; TUF's clients take both for the end."""


class HttpSource:
    """The repository at an address.

    Args:
        base: Of the folder that holds `metadata/` and `targets/`; "" where paths are whole addresses.
        budget: Bytes that may be taken.
        limits: How slow it may be.
        timeout_s: For the connection, and for each read.
    """

    def __init__(
        self,
        base: str,
        budget: Budget,
        limits: TransferLimits | None = None,
        *,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._base = f"{base}/" if base and not base.endswith("/") else base
        self._budget = budget
        self._limits = limits or TransferLimits()
        self._timeout_s = timeout_s

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """As `Source.fetch`."""
        url = self._base + path
        try:
            with contextlib.closing(self._connect(url)) as connection:
                yield from self._get(connection, url, offset, total, longest)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(f"{url}: {type(error).__name__}: {error}") from error

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in {"http", "https"}:
            raise FetchFailed(f"{url} is no http:// or https:// address")
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=self._timeout_s)
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=self._timeout_s, context=ssl.create_default_context()
        )

    def _get(
        self, connection: http.client.HTTPConnection, url: str, offset: int, total: int | None, longest: int
    ) -> Iterator[bytes]:
        parts = urlsplit(url)
        target = quote(parts.path or "/", safe=_SAFE) + (
            f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        )
        headers = {"Accept-Encoding": "identity", "User-Agent": "topscoop-updater", "Connection": "close"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        skip = self._skip(response, url, offset)
        length = response.length
        if length is not None:
            self._check_length(url, length - skip, offset, total, longest)
        yield from self._body(response, url, skip, longest if total is None else total - offset)

    @staticmethod
    def _skip(response: http.client.HTTPResponse, url: str, offset: int) -> int:
        """How many bytes of the answer are known already: a server may ignore the range."""
        if response.status in _MISSING:
            raise FileMissing(f"there is no {url} ({response.status})")
        if response.status == _OK:
            return offset
        if response.status == _PARTIAL and offset:
            if not (response.getheader("Content-Range") or "").startswith(f"bytes {offset}-"):
                raise FetchFailed(f"{url} answers with another range than was asked for")
            return 0
        if response.status == _BEYOND:
            raise FetchFailed(f"{url} ends before byte {offset}")
        # A redirect too: who may say where releases come from is this register's configuration.
        raise FetchFailed(f"{url} answers {response.status}")

    @staticmethod
    def _check_length(url: str, left: int, offset: int, total: int | None, longest: int) -> None:
        if total is not None and offset + left != total:
            raise FetchFailed(f"{url} has {offset + left} bytes where {total} are signed")
        if left > min(longest, FILE_MAX_BYTES):
            raise FetchFailed(f"{url} has {left} bytes, more than {longest}")

    def _body(self, response: http.client.HTTPResponse, url: str, skip: int, most: int) -> Iterator[bytes]:
        started, given = now_ms(), 0
        while True:
            time.sleep(self._budget.wait_ms(now_ms()) / 1000)
            piece = response.read1(_PIECE_BYTES)
            if not piece:
                break
            self._budget.spend(len(piece))
            dropped = min(skip, len(piece))
            skip -= dropped
            given += len(piece) - dropped
            if given > most:
                raise FetchFailed(f"{url} has more than {most} bytes")
            if now_ms() - started > self._limits.grace_ms + given * 1000 // self._limits.slowest_bytes_per_s:
                raise FetchFailed(f"{url} comes too slowly")
            if len(piece) > dropped:
                yield piece[dropped:]
        if response.length:
            raise FetchFailed(f"{url} ends {response.length} bytes early")
