"""A stand-in for an S3 server that takes every PUT after a set delay, keeps nothing and names a version.

It checks no signature. What it is for: a store whose own work costs little, or one that is slow by design.
"""

import argparse
import asyncio
import hashlib
import json
from pathlib import Path
from typing import cast

import uvloop

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PROBE = b"/probe/"
"""Only what a collector stores there at its start is kept: it reads it back."""


class Connection(asyncio.Protocol):
    """One connection; requests are answered in their order."""

    def __init__(self, delay_s: float, kept: dict[bytes, bytes]) -> None:
        self._delay_s = delay_s
        self._kept = kept
        self._received = bytearray()
        self._continued = False
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As the protocol has it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end])
            method, target, *_ = head.split(b" ", 2)
            headers = _headers(head)
            length = int(headers.get(b"content-length", b"0"))
            if len(self._received) < end + 4 + length:
                if headers.get(b"expect") == b"100-continue" and not self._continued:
                    self._continued = True
                    self._transport.write(_CONTINUE)
                return
            self._continued = False
            body = bytes(self._received[end + 4 : end + 4 + length])
            del self._received[: end + 4 + length]
            answer = self._answer(method, target.partition(b"?")[0], body, versions=b"versions" in target)
            delay_s = self._delay_s if method == b"PUT" else 0.0
            asyncio.get_running_loop().call_later(delay_s, self._transport.write, answer)

    def _answer(self, method: bytes, path: bytes, body: bytes, *, versions: bool) -> bytes:
        if method == b"PUT":
            if _PROBE in path:
                self._kept[path] = body
            self._count += 1
            etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
            version = f"v{id(self):x}-{self._count}"
            return _response(200, b"", f'ETag: "{etag}"\r\nx-amz-version-id: {version}\r\n')
        if method == b"DELETE":
            return _response(204, b"")
        if versions:
            listing = b'<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
            return _response(200, listing, "Content-Type: application/xml\r\n")
        return _response(200, self._kept.get(path, b""))


def _headers(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _response(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} OK\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve(delay_s: float, announce: Path) -> None:
    kept: dict[bytes, bytes] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(delay_s, kept), "127.0.0.1", 0)
    said = json.dumps({"port": server.sockets[0].getsockname()[1]})
    await asyncio.to_thread(announce.write_text, said, encoding="utf-8")
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--announce", type=Path, required=True)
    args = parser.parse_args()
    uvloop.run(_serve(args.delay_ms / 1000, args.announce))


if __name__ == "__main__":
    main()
