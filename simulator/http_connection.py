"""A till's connection to the agent beside it: one kept HTTP/1.1 connection, bytes in and out.

A general HTTP client takes several times as long for a request as the agent takes to recommend; this one
takes a quarter of a millisecond, so that what the tills measure is the agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

MAX_BODY_BYTES = 1 << 20
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})\b")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,7})\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


class LostConnectionError(Exception):
    """No answer came, or none that can be read; the request may or may not have been carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


class Exchange(Protocol):
    """Sends one request and returns its answer; requests follow each other, they never overlap."""

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises `LostConnectionError`."""

    async def aclose(self) -> None:
        """End the connection; it may be used again, which opens a new one."""


class HttpConnection:
    """An `Exchange` over TCP.

    Args:
        url: `http://host:port` of the agent.
        timeout_s: For connecting, sending and the whole answer together.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._authority = parts.netloc
        self._timeout_s = timeout_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a request and read its answer.

        Raises:
            LostConnectionError: No answer in time, a broken connection, or no HTTP with a length.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._authority}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(message)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
            await self.aclose()
            reason = "too slow" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise LostConnectionError(reason) from error
        except BaseException:
            # Cancelled half-way: the rest of this answer must not be taken for the next one's.
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the connection."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            # A peer that reset the connection is as gone as one that closed it.
            with contextlib.suppress(OSError):
                await asyncio.wait_for(writer.wait_closed(), self._timeout_s)

    async def _exchange(self, message: bytes) -> Answer:
        # An agent closes connections that were idle for some seconds.
        if self._reader is not None and self._reader.at_eof():
            await self.aclose()
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(message)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or length is None:
            raise ValueError(f"no HTTP/1.1 answer with a length: {head[:80]!r}")
        if int(length[1]) > MAX_BODY_BYTES:
            raise ValueError(f"an answer of {int(length[1])} bytes")
        answer = Answer(int(status[1]), await self._reader.readexactly(int(length[1])))
        if _CLOSES.search(head):
            await self.aclose()
        return answer
