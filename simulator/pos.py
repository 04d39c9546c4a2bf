"""A point of sale: the client of one register's local API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from simulator.http_connection import Answer, Exchange, HttpConnection, LostConnectionError
from wire_protocol.errors import TopscoopError

TIMEOUT_S = 5.0
"""Far beyond any answer of a healthy agent: what takes longer is an error, not patience."""
OUTCOME_TRIES = 3
"""A sale is sent again, under the same key, when its answer got lost on the way."""


class PosError(TopscoopError):
    """The register's agent refused the till's request, or did not answer."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One flavour that the agent offers; `probability` None where no model was asked."""

    flavour: str
    name: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """The agent's answer to an opened interaction; times in milliseconds."""

    interaction_id: str
    top3: tuple[Offer, ...]
    source: str
    arm: str
    model: str | None
    frame_age_ms: float | None
    inference_ms: float | None
    total_ms: float
    request_ms: float
    """From the request to its complete answer, as the till measures it."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many scoops of one flavour."""

    flavour: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a customer is asked to agree to."""

    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What the slip says: with it, the customer can take the consent back."""

    consent_id: str
    withdrawal_code: str


class PosClient:
    """Opens interactions and books sales at one agent, over one kept connection.

    Args:
        url: Root of the agent's local API.
        token: This till's pairing token.
        exchange: Replaces the connection in tests.
        clock_s: Seconds that only grow.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        exchange: Exchange | None = None,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._exchange = exchange or HttpConnection(url, timeout_s=TIMEOUT_S)
        self._clock_s = clock_s

    async def open_interaction(self, context: Mapping[str, Any]) -> Interaction:
        """Ask for three flavours for the customer who stands there now.

        Raises:
            PosError: The agent refused, did not answer, or answered something else.
        """
        path = "/v1/interactions"
        started_s = self._clock_s()
        answer = await self._send("POST", path, {"context": dict(context)})
        request_ms = (self._clock_s() - started_s) * 1000
        _expect(f"POST {path}", answer, HTTPStatus.CREATED)
        return _interaction(answer, request_ms)

    async def book_outcome(
        self, interaction_id: str, idempotency_key: str, receipt_id: str, lines: Sequence[Line]
    ) -> bool:
        """Tell what was bought; returns when the agent says that it is durable.

        Returns:
            Whether it had to be sent again because an answer got lost.

        Raises:
            PosError: Not acknowledged.
        """
        body = {
            "receipt_id": receipt_id,
            "lines": [{"flavour": line.flavour, "quantity": line.quantity} for line in lines],
        }
        path = f"/v1/interactions/{interaction_id}/outcome"
        for attempt in range(1, OUTCOME_TRIES + 1):
            try:
                answer = await self._send("POST", path, body, {"Idempotency-Key": idempotency_key})
            except PosError:
                if attempt == OUTCOME_TRIES:
                    raise
                continue
            # 200: an earlier try was stored and only its answer got lost.
            _expect(f"POST {path}", answer, HTTPStatus.CREATED, HTTPStatus.OK)
            return attempt > 1
        raise AssertionError("the loop returns or raises")

    async def notice(self, language: str) -> Notice | None:
        """The notice that a customer is shown; None where this agent uploads nothing, so nobody is asked.

        Raises:
            PosError: The agent did not answer.
        """
        answer = await self._send("GET", f"/v1/notice?language={language}", {})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        _expect("GET /v1/notice", answer, HTTPStatus.OK)
        fields = json.loads(answer.body)
        return Notice(fields["language"], fields["sha256"])

    async def answer_consent(
        self, interaction_id: str, notice: Notice, *, granted: bool
    ) -> GivenConsent | None:
        """Tell the customer's answer; None for a no, and where no consent can be taken just now.

        Raises:
            PosError: The agent refused for another reason, or did not answer.
        """
        path = f"/v1/interactions/{interaction_id}/consent"
        body = {
            "granted": granted,
            "language": notice.language,
            "notice_sha256": notice.sha256,
            "method": "touch",
            "purposes": ["training"] if granted else [],
        }
        answer = await self._send("POST", path, body)
        if answer.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT}:
            # No consent blank is left; or there is no picture, or the display was answered first.
            return None
        _expect(f"POST {path}", answer, HTTPStatus.CREATED, HTTPStatus.OK)
        if not granted:
            return None
        fields = json.loads(answer.body)
        return GivenConsent(fields["consent_id"], fields["withdrawal_code"])

    async def handover(self, interaction_id: str) -> str | None:
        """The address of a code that the customer's phone may scan; None where none can be shown just now.

        Raises:
            PosError: The agent refused for another reason, or did not answer.
        """
        path = f"/v1/interactions/{interaction_id}/handover"
        answer = await self._send("GET", path, {})
        if answer.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
            # The cloud is not connected, no blank is left or no picture waits; or codes are switched off.
            return None
        _expect(f"GET {path}", answer, HTTPStatus.OK)
        return str(json.loads(answer.body)["url"])

    async def withdraw(self, given: GivenConsent) -> None:
        """Take a consent back.

        Raises:
            PosError: The agent refused or did not answer.
        """
        path = f"/v1/consents/{given.consent_id}/withdrawal"
        answer = await self._send("POST", path, {"withdrawal_code": given.withdrawal_code})
        _expect(f"POST {path}", answer, HTTPStatus.CREATED, HTTPStatus.OK)

    async def set_menu(self, in_stock: Sequence[str]) -> None:
        """Tell which flavours can be sold.

        Raises:
            PosError: The agent refused or did not answer.
        """
        answer = await self._send("PUT", "/v1/menu", {"in_stock": list(in_stock)})
        _expect("PUT /v1/menu", answer, HTTPStatus.OK)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._exchange.aclose()

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        try:
            return await self._exchange.request(
                method, path, {**self._headers, **(headers or {})}, json.dumps(body).encode()
            )
        except LostConnectionError as error:
            raise PosError(
                f"{method} {path} at {self._url} got no answer: {error}",
                remedy="Check that the agent of this register runs (`topscoop edge doctor`).",
            ) from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _expect(request: str, answer: Answer, *statuses: int) -> None:
    if answer.status not in statuses:
        raise PosError(
            f"{request} was answered {answer.status}: {_excerpt(answer)}",
            remedy="The answer says why; the pairing token lies in the agent's data folder.",
        )


def _excerpt(answer: Answer) -> str:
    return answer.body[:300].decode(errors="replace")


def _interaction(answer: Answer, request_ms: float) -> Interaction:
    try:
        fields = json.loads(answer.body)
        return Interaction(
            interaction_id=str(fields["interaction_id"]),
            top3=tuple(
                Offer(offer["flavour"], offer["name"], offer["probability"]) for offer in fields["top3"]
            ),
            source=fields["source"],
            arm=fields["arm"],
            model=fields["model"],
            frame_age_ms=fields["frame_age_ms"],
            inference_ms=fields["inference_ms"],
            total_ms=float(fields["total_ms"]),
            request_ms=request_ms,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PosError(
            f"the agent's answer to an interaction cannot be used ({error!r}): {_excerpt(answer)}",
            remedy="Run agent and simulator of the same version.",
        ) from error
