"""MJPEG over HTTP, a `multipart/x-mixed-replace` stream: bytes in, compressed pictures out."""

import re

MAX_HEADER_BYTES = 4096
MAX_PICTURE_BYTES = 8 << 20
"""A 4K picture of the best quality fits; more is not buffered."""

_JPEG_END = b"\xff\xd9"
_CONTENT_TYPE = re.compile(r'multipart/[a-z-]+\s*;.*?boundary\s*=\s*"?([^";]+)"?', re.IGNORECASE | re.DOTALL)
_LENGTH = re.compile(rb"content-length\s*:\s*(\d{1,9})\s*\Z", re.IGNORECASE)


class MjpegError(ValueError):
    """The stream is no MJPEG, or breaks a limit."""


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header announces, without its leading dashes.

    Raises:
        MjpegError: Not a multipart type, or without boundary.
    """
    match = _CONTENT_TYPE.match(content_type.strip())
    # Cameras disagree on whether the announced boundary already has the two dashes.
    boundary = match[1].strip().lstrip("-") if match else ""
    if not boundary or not boundary.isascii():
        raise MjpegError(f"the answer is {content_type[:80]!r}, no multipart/x-mixed-replace with a boundary")
    return boundary.encode("ascii")


class MjpegParser:
    """Feed it what arrives; it gives back complete parts, oldest first."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._buffer = bytearray()
        self._length: int | None = None
        self._in_body = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pictures that became complete.

        Raises:
            MjpegError: A header or a picture grew beyond its limit.
        """
        self._buffer += data
        parts: list[bytes] = []
        while (part := self._next()) is not None:
            if part:
                parts.append(part)
        return parts

    def _next(self) -> bytes | None:
        if not self._in_body and not self._take_headers():
            return None
        end = self._body_end()
        if end is None:
            if len(self._buffer) > MAX_PICTURE_BYTES:
                raise MjpegError(f"a picture is longer than {MAX_PICTURE_BYTES >> 20} MiB")
            return None
        part = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._in_body = False
        return part

    def _take_headers(self) -> bool:
        """Skip to the boundary and read the part's headers; False while they are incomplete."""
        start = self._buffer.find(self._boundary)
        blank = _blank_line(self._buffer, start + len(self._boundary)) if start >= 0 else None
        if blank is None:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise MjpegError("no part of the stream begins where one should")
            return False
        self._length = None
        for line in self._buffer[start:blank].splitlines():
            if length := _LENGTH.match(line):
                self._length = int(length[1])
        if self._length is not None and self._length > MAX_PICTURE_BYTES:
            raise MjpegError(f"a picture is announced as longer than {MAX_PICTURE_BYTES >> 20} MiB")
        del self._buffer[:blank]
        self._in_body = True
        return True

    def _body_end(self) -> int | None:
        if self._length is not None:
            return self._length if len(self._buffer) >= self._length else None
        # Without a length the next boundary ends the picture, and the line break before it is no part of it.
        following = self._buffer.find(b"--" + self._boundary)
        if following < 0:
            return None
        end = self._buffer.rfind(_JPEG_END, 0, following)
        return end + len(_JPEG_END) if end >= 0 else following


def _blank_line(buffer: bytearray, start: int) -> int | None:
    """Where the body begins after the first empty line at or after `start`."""
    crlf, lf = buffer.find(b"\r\n\r\n", start), buffer.find(b"\n\n", start)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf + 4
    return lf + 2 if lf >= 0 else None
