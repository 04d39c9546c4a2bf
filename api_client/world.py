"""What the client asks of the world: clocks, pauses, chance, and a way to send requests."""

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from wire_protocol.errors import OperatorError


@dataclass(frozen=True)
class World:
    """The real one by default; tests give others.

    Attributes:
        now_s: Seconds since 1970.
        monotonic: Seconds of a clock that is never set.
        pause: Waits so many seconds.
        chance: A number in [0, 1), for pauses that differ from client to client.
        connect: A transport for what this TLS context trusts.
    """

    now_s: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    connect: Callable[[ssl.SSLContext], httpx.BaseTransport] = lambda trusted: httpx.HTTPTransport(
        verify=trusted, retries=1, http2=False
    )


def trusting(ca: Path | str | None) -> ssl.SSLContext:
    """TLS as the system trusts it, or this authority alone.

    Raises:
        OperatorError: There is no certificate in that file.
    """
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"cannot use {ca} as an authority's certificate", remedy="Name a file with a certificate in PEM."
        ) from error
