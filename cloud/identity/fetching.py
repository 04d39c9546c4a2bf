"""Requests to identity providers: few hosts, no redirects, little time, few bytes.

The whole answer is read here, under one deadline: however slowly a server speaks, nobody waits longer.
"""

import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore2
import httpx2

from cloud.identity.addresses import may_connect, origin_of

TOTAL_S: Final = 8.0
"""For one request, from looking up the name to the last byte."""
DOCUMENT_MAX_BYTES: Final = 256 * 1024
_STEP_S: Final = 5.0
_STEPS: Final = {"connect": _STEP_S, "read": _STEP_S, "write": _STEP_S, "pool": _STEP_S}


class BoundedTransport(httpx2.BaseTransport):
    """What every request to an identity provider goes through.

    Args:
        own: Origin of the issuer.
        allows: Whether an origin may be asked.
        monotonic: Seconds of a clock that never steps.
        tls: Which authorities are believed.
    """

    def __init__(
        self,
        own: tuple[str, str, int],
        allows: Callable[[tuple[str, str, int]], bool],
        monotonic: Callable[[], float],
        tls: ssl.SSLContext,
    ) -> None:
        self._own = own
        self._allows = allows
        self._monotonic = monotonic
        self._tls = tls

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, whole. Raises httpx2.TransportError for whatever goes wrong."""
        # Check 2: the issuer's own origin, and those that its description names; nothing else is asked.
        origin = origin_of(str(request.url))
        if not self._allows(origin):
            raise httpx2.UnsupportedProtocol("an origin that no issuer named", request=request)
        deadline = self._monotonic() + TOTAL_S
        network = _Network(deadline, self._monotonic, own_host=origin[1] == self._own[1])
        request.headers["Accept-Encoding"] = "identity"
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": _STEPS},
        )
        try:
            with httpcore2.ConnectionPool(
                ssl_context=self._tls, max_connections=1, http2=False, network_backend=network
            ) as pool:
                answer = pool.handle_request(asked)
                try:
                    content = self._read(answer, deadline)
                finally:
                    answer.close()
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
            httpcore2.UnsupportedProtocol,
            OSError,
        ) as error:
            raise httpx2.TransportError(
                f"no answer: {type(error).__name__}: {error}", request=request
            ) from error
        return httpx2.Response(answer.status, headers=answer.headers, content=content, request=request)

    def _read(self, answer: httpcore2.Response, deadline: float) -> bytes:
        # Check 3: at most 256 KiB, as they are: compressed ones could be a thousand times more.
        codings = {value.lower() for name, value in answer.headers if name.lower() == b"content-encoding"}
        if codings - {b"identity"}:
            raise httpcore2.RemoteProtocolError("a coding that was not asked for")
        data = bytearray()
        for chunk in answer.iter_stream():
            data += chunk
            if len(data) > DOCUMENT_MAX_BYTES:
                raise httpcore2.RemoteProtocolError("more bytes than such a document has")
            if self._monotonic() > deadline:
                raise httpcore2.ReadTimeout("it took too long")
        return bytes(data)


class _Network(httpcore2.NetworkBackend):
    """Connects to addresses that were looked at (check 4), each step within the same deadline (check 3)."""

    def __init__(self, deadline: float, monotonic: Callable[[], float], *, own_host: bool) -> None:
        self._deadline = deadline
        self._monotonic = monotonic
        self._own_host = own_host
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """To the first address of the host that answers. Raises httpcore2.ConnectError."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # The name is looked up once, and what was looked at is what is connected to: a name that leads
        # elsewhere a moment later (DNS rebinding) leads nowhere.
        addresses = dict.fromkeys(str(one[4][0]) for one in found)
        allowed = [one for one in addresses if may_connect(one, own_host=self._own_host)]
        last: Exception = httpcore2.ConnectError("its name leads to an address that is not asked")
        for address in allowed:
            try:
                stream = self._plain.connect_tcp(
                    address, port, self._left(timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
            else:
                return _Timed(stream, self._left)
        raise last

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("it took too long")
        return min(left, _STEP_S if timeout is None else timeout)


class _Timed(httpcore2.NetworkStream):
    """A connection whose every step ends with the whole request's deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, left: Callable[[float | None], float]) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As the stream."""
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As the stream."""
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        """As the stream."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """As the stream."""
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)), self._left)

    def get_extra_info(self, info: str) -> Any:
        """As the stream."""
        return self._stream.get_extra_info(info)
