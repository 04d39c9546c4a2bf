"""One client of a chain's public API, as any program would use it: HTTP and JSON, nothing of ours."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

import httpx

from simulator.demo.errors import DemoError

TIMEOUT_S: Final = 20.0
WAIT_S: Final = 10
"""A question for an answer is held back by the API for so long."""
PATIENCE_S: Final = 60.0
_GRANT: Final = {"grant_type": "client_credentials"}


class PhoneError(DemoError):
    """The public API, or the store of uploads, answered otherwise than it should."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Three flavours for an uploaded picture."""

    request_id: str
    slate: tuple[str, ...]
    took_ms: float
    """From the end of the upload, as the client measures it."""


def address_of(public_url: str, tenant: str) -> tuple[str, str]:
    """Where to connect, and what to say as `Host`: not every machine resolves names below `localhost`."""
    host = public_url.replace("{tenant}", tenant).partition("://")[2]
    return f"http://127.0.0.1:{host.rpartition(':')[2]}", host


class ChainApi:
    """A machine's way to the API of one chain; used in an `async with` block.

    Args:
        public_url: The API's address, with `{tenant}`.
        tenant: The chain.
        client_id: Of this machine.
        secret: That belongs to it.
    """

    def __init__(self, public_url: str, tenant: str, client_id: str, secret: str) -> None:
        address, host = address_of(public_url, tenant)
        self._basic = httpx.BasicAuth(client_id, secret)
        self._api = httpx.AsyncClient(
            base_url=address, headers={"Host": host}, trust_env=False, timeout=TIMEOUT_S
        )
        self._store = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S)

    async def __aenter__(self) -> Self:
        """Nothing is connected yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close connections."""
        await self._api.aclose()
        await self._store.aclose()

    async def log_in(self) -> None:
        """Get a token for id and secret (RFC 6749, 4.4).

        Raises:
            PhoneError: It was refused.
        """
        answer = await self._api.post("/v1/token", data=_GRANT, auth=self._basic)
        token = expect(answer, HTTPStatus.OK)["access_token"]
        self._api.headers["Authorization"] = f"Bearer {token}"

    async def notice(self) -> Mapping[str, Any]:
        """What a person reads before a picture is kept."""
        return await self._ask("GET", "/v1/notice?language=en")

    async def recommend(
        self, picture: bytes, context: Mapping[str, Any], consent: Mapping[str, Any] | None
    ) -> Answered:
        """Upload a JPEG, and wait for three flavours.

        Args:
            picture: The JPEG.
            context: What is known beside it.
            consent: The notice that its person agreed to; None: it is deleted as soon as it was looked at.

        Raises:
            PhoneError: There is no answer.
        """
        asked = {
            "content_length": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
            "purpose": "recommend" if consent is None else "recommend_and_improve",
            "context": dict(context),
        }
        if consent is not None:
            agreed = {"notice": consent["sha256"], "language": consent["language"], "agreed": True}
            asked["consent"] = agreed
        ticket = await self._ask("POST", "/v1/uploads", asked, HTTPStatus.CREATED)
        put = await self._store.request(
            ticket["method"], ticket["url"], headers=ticket["headers"], content=picture
        )
        if not put.is_success:
            raise PhoneError(f"the store did not take an upload ({put.status_code})")
        uploaded_s = time.perf_counter()
        await self._ask("POST", ticket["links"]["complete"])
        found = await self._wait(ticket["links"]["recommendation"], uploaded_s + PATIENCE_S)
        took_ms = (time.perf_counter() - uploaded_s) * 1000
        return Answered(ticket["request_id"], tuple(one["flavour"] for one in found["slate"]), took_ms)

    async def bought(self, request_id: str, flavour: str, quantity: int) -> None:
        """Tell what was bought."""
        path = f"/v1/recommendations/{request_id}/outcome"
        sold = {"lines": [{"flavour": flavour, "quantity": quantity}]}
        await self._ask("POST", path, sold, HTTPStatus.CREATED)

    async def erase(self) -> str:
        """Have everything of this client erased; where to see how far it is."""
        return str((await self._ask("DELETE", "/v1/me"))["status"])

    async def erased(self, status: str) -> bool:
        """Whether an erasure has come to its end; needs no login."""
        return bool((await self._ask("GET", status))["state"] == "done")

    async def _wait(self, path: str, until_s: float) -> dict[str, Any]:
        while True:
            answer = await self._api.get(path, params={"wait": WAIT_S})
            if answer.status_code != HTTPStatus.ACCEPTED:
                return expect(answer, HTTPStatus.OK)
            if time.perf_counter() > until_s:
                raise PhoneError(f"an upload has no answer after {PATIENCE_S:g} s")

    async def _ask(
        self, method: str, path: str, body: Any = None, status: HTTPStatus = HTTPStatus.OK
    ) -> dict[str, Any]:
        return expect(await self._api.request(method, path, json=body), status)


def expect(answer: httpx.Response, *statuses: HTTPStatus) -> dict[str, Any]:
    """The document of an answer.

    Raises:
        PhoneError: It has another status.
    """
    if answer.status_code not in statuses:
        request = answer.request
        raise PhoneError(
            f"{request.method} {request.url.path[:40]} was answered {answer.status_code}: {answer.text[:300]}"
        )
    return dict(answer.json())
