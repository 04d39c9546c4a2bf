"""The way to a chain's API: what may be asked again is asked again, and every refusal is an `ApiError`."""

import email.utils
import ssl
from collections.abc import Callable
from typing import Final

import httpx

from api_client.address import is_loopback
from api_client.errors import away, refusal, untrusted
from api_client.world import World

TIMEOUT: Final = httpx.Timeout(15, read=75)
"""Seconds; a long poll is answered after 60 at the latest."""
PATIENCE_S: Final = 30.0
"""So long one request may be put off by 429 and 503; a chain's daily quota is over for longer than that."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_BUSY: Final = frozenset({429, 503})
_UNAUTHORIZED: Final = 401


class ChainTransport(httpx.BaseTransport):
    """Sends requests with the caller's token, patiently.

    Args:
        inner: Sends them.
        world: Clocks and pauses.
        token: The token; raises ApiError `not-logged-in`. None: requests carry none.
        renew: Gets another one after a 401; whether there is one now.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        world: World,
        token: Callable[[], str] | None = None,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inner, self._world = inner, world
        self._token, self._renew = token, renew

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it. Raises ApiError for whatever is no success."""
        waited_s, attempt, renewed = 0.0, 0, False
        while True:
            if self._token is not None:
                request.headers["Authorization"] = f"Bearer {self._token()}"
            response = send(self._inner, request)
            if not response.is_error:
                return response
            if response.status_code == _UNAUTHORIZED and not renewed and self._renew():
                renewed = True
                continue
            asked_s = retry_after_s(response.headers.get("Retry-After"), self._world.now_s())
            pause_s = self._pause_s(attempt, asked_s)
            if response.status_code not in _BUSY or waited_s + pause_s > PATIENCE_S:
                raise refusal(
                    response.status_code,
                    response.content,
                    retry_after_s=asked_s,
                    request_id=response.headers.get("X-Request-Id", ""),
                )
            self._world.pause(pause_s)
            waited_s += pause_s
            attempt += 1

    def _pause_s(self, attempt: int, asked_s: float | None) -> float:
        """Never shorter than asked for; longer each time, and not for all clients the same."""
        own_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**attempt)
        return max(asked_s or 0.0, own_s) * (1 + self._world.chance() / 4)


def send(inner: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
    """One request, its answer read to the end.

    Raises:
        ApiError: `away` or `untrusted`.
    """
    host = request.url.host
    if is_loopback(host) and host.endswith(".localhost"):
        # Not every resolver knows these names; the Host header and the certificate stay theirs.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host="127.0.0.1")
    try:
        response = inner.handle_request(request)
        try:
            response.read()
        finally:
            response.close()
    except httpx.TimeoutException as error:
        raise away("it does not answer in time") from error
    except httpx.TransportError as error:
        certificate = _certificate_error(error)
        if certificate is not None:
            raise untrusted(getattr(certificate, "verify_message", "") or str(certificate)) from error
        raise away(str(error) or type(error).__name__) from error
    return response


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """What `Retry-After` asks for, in seconds: a number, or a date (RFC 9110, 10.2.3); None for neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
