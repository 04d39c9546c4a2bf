"""MJPEG over HTTP: a `multipart/x-mixed-replace` answer that never ends."""

import dataclasses
import http.client
import socket
import ssl
from select import select
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.adapters.cameras.http_login import Login, login_of
from edge_agent.adapters.cameras.source import Picture
from edge_agent.camera_spec import CameraSpec, CameraTimes, mask_url
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.mjpeg import MAX_PICTURE_BYTES, MjpegError, MjpegParser, boundary_of
from edge_agent.ports import Clock
from inference import RefusedPicture
from inference.picture import STRICT, check_jpeg

LIMITS = dataclasses.replace(STRICT, max_bytes=MAX_PICTURE_BYTES, max_pixels=9_000_000, trailing=True)
"""Up to 4K; cameras pad behind the end. Checked, then decoded here: a worker's pipe would cost more."""
LEAST_SIDE_PX = 360
"""A decoded picture keeps at least this; the default networks look at 160 px."""
MOST_BROKEN = 15

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}

_POLL_S = 0.5
_CHUNK_BYTES = 1 << 16
_NS_PER_S = 1_000_000_000
_EARLY = 0.7
"""As for devices: pictures do not come at even times."""


def open_mjpeg(spec: CameraSpec, settings: CameraConfig, times: CameraTimes, clock: Clock) -> "MjpegSource":
    """Ask for the stream and read its headers.

    Raises:
        CameraError: Not reachable in time, refused, or not a MJPEG stream.
    """
    url = spec.target
    login = login_of(url)
    connection = _connect(url, times)
    try:
        response = _get(connection, url, login.basic() if login else None)
        if response.status == http.client.UNAUTHORIZED and login is not None:
            header = login.answer(response.getheader("WWW-Authenticate", ""), _plain_url(url))
            connection.hang_up()
            response = _get(connection, url, header)
        boundary = _accept(response, spec, login)
    except (OSError, http.client.HTTPException, MjpegError, CameraError) as error:
        connection.hang_up()
        raise _translated(error, spec) from error
    return MjpegSource(connection, response, boundary, clock, fps=settings.fps)


class MjpegSource:
    """An open stream; only the newest of the pictures that lie ready is decoded."""

    def __init__(
        self,
        connection: "_Connection",
        response: http.client.HTTPResponse,
        boundary: bytes,
        clock: Clock,
        *,
        fps: float,
    ) -> None:
        self._connection = connection
        self._response = response
        self._parser = MjpegParser(boundary)
        self._clock = clock
        self._gap_ns = int(_NS_PER_S / fps * _EARLY)
        self._due_ns = 0
        # What came in one packet with the headers lies in the reader's buffer, where select does not see it.
        self._buffered = True
        self._broken = 0

    def read(self) -> Picture | None:
        """The next picture; None after half a second without one, or when it came too early to be wanted."""
        if not (self._buffered or self._connection.readable(_POLL_S)):
            return None
        self._buffered = False
        try:
            data = self._response.read1(_CHUNK_BYTES)
            parts = self._parser.feed(data)
        except (OSError, http.client.HTTPException, MjpegError) as error:
            raise CameraError(f"the stream broke off: {error}") from error
        if not data:
            raise CameraError("the camera ended the stream")
        now_ns = self._clock.monotonic_ns()
        if not parts or now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + self._gap_ns
        return self._judge(_decode(parts[-1]), now_ns)

    def close(self) -> None:
        """Close the connection."""
        self._connection.hang_up()

    def _judge(self, pixels: NDArray[np.uint8] | None, captured_ns: int) -> Picture | None:
        """One broken picture is what a bad cable gives now and then; only a row of them is a lost camera."""
        if pixels is not None:
            self._broken = 0
            return Picture(pixels, captured_ns)
        self._broken += 1
        if self._broken >= MOST_BROKEN:
            raise CameraError(
                f"{MOST_BROKEN} pictures in a row cannot be read",
                remedy="Set the camera to baseline JPEG of at most 9 million pixels.",
            )
        return None


class _Connection(http.client.HTTPConnection):
    """A connection that keeps its socket: http.client forgets it once the answer has begun."""

    wire: socket.socket | None = None
    answer: http.client.HTTPResponse | None = None
    tls: ssl.SSLContext | None = None

    def connect(self) -> None:
        super().connect()
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)
        self.wire = self.sock

    def hang_up(self) -> None:
        """Close both halves: the answer holds the socket open when the connection has let go of it."""
        if self.answer is not None:
            self.answer.close()
        self.close()

    def readable(self, timeout_s: float) -> bool:
        """Whether something can be read within so many seconds."""
        assert self.wire is not None
        if isinstance(self.wire, ssl.SSLSocket) and self.wire.pending():
            return True
        return bool(select([self.wire], [], [], timeout_s)[0])


def _connect(url: str, times: CameraTimes) -> _Connection:
    parts = urlsplit(url)
    assert parts.hostname is not None  # the configuration was checked
    tls = parts.scheme.lower() == "https"
    port = parts.port or (443 if tls else 80)
    # The one timeout serves opening and every read: a silent camera is lost after it, whoever waits.
    connection = _Connection(parts.hostname, port, timeout=min(times.open_timeout_s, times.read_timeout_s))
    connection.tls = ssl.create_default_context() if tls else None
    return connection


def _get(connection: _Connection, url: str, authorization: str | None) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    headers = {"Accept": "multipart/x-mixed-replace"}
    if authorization:
        headers["Authorization"] = authorization
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", path, headers=headers)
    connection.answer = connection.getresponse()
    return connection.answer


def _plain_url(url: str) -> str:
    """The URL without login, as the digest is computed over it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _accept(response: http.client.HTTPResponse, spec: CameraSpec, login: Login | None) -> bytes:
    """The boundary of a good answer. Raises CameraError or MjpegError for any other."""
    if response.status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
        raise CameraError(
            f"{spec} refuses {'this login' if login else 'to answer without a login'}",
            remedy="Write user and password into the URL: http://USER:PASSWORD@host/…, percent-encoded.",
        )
    if response.status != http.client.OK:
        raise CameraError(
            f"{spec} answers {response.status} {response.reason}",
            remedy="Look up the path of the MJPEG stream in the camera's manual.",
        )
    return boundary_of(response.getheader("Content-Type", ""))


def _translated(error: Exception, spec: CameraSpec) -> CameraError:
    if isinstance(error, CameraError):
        return error
    if isinstance(error, MjpegError):
        return CameraError(
            f"{mask_url(spec.target)} is no MJPEG stream: {error}",
            remedy="Use the camera's MJPEG address; for H.264 use rtsp://.",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
    return CameraError(
        f"{spec} cannot be reached: {reason}", remedy="Is the camera on, and in this till's network?"
    )


def _decode(part: bytes) -> NDArray[np.uint8] | None:
    """The picture, or None for one that is broken, hostile (threat T11) or beyond `LIMITS`."""
    try:
        header = check_jpeg(part, LIMITS)
        flags = _REDUCED[_factor(header.width, header.height)] | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = cv2.imdecode(np.frombuffer(part, np.uint8), flags)
    except (RefusedPicture, cv2.error):
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _factor(width: int, height: int) -> int:
    """How far the decoder may reduce on its way and still leave more than twice what any network looks at.

    JPEG scales by halves while it decodes, which costs less than not scaling: a 1280x720 picture becomes
    640x360 in a quarter of the memory.
    """
    factor = 1
    while factor < max(_REDUCED) and min(width, height) // (2 * factor) >= LEAST_SIDE_PX:
        factor *= 2
    return factor
