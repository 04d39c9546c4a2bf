"""How uploads are named in addresses, and instants in documents."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from cloud.public_api.problems import problem
from cloud.public_api.times import rfc3339
from wire_protocol.identifiers import parse_uuid7

EXAMPLE = "01990b3c-5d70-7c4e-9a6b-2f1d8e3a7b50"


async def request_of(
    request_id: Annotated[
        str, Path(description="UUID version 7, from `POST /v1/uploads`", max_length=64, examples=[EXAMPLE])
    ],
) -> bytes:
    """The request that an address names. Raises Problem `not-found`."""
    try:
        return parse_uuid7(request_id).bytes
    except ValueError:
        raise problem("not-found", "this address names no request") from None


AtRequest = Annotated[bytes, Depends(request_of)]
"""Type of a route's parameter for the `{request_id}` of its address: 16 bytes."""


def spelled(request: bytes) -> str:
    """As addresses and documents have it."""
    return str(UUID(bytes=request))


def maybe_instant(at_ms: int | None) -> str | None:
    """As `rfc3339`; None for none."""
    return None if at_ms is None else rfc3339(at_ms)
