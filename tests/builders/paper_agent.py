"""An agent on paper: answers a till over an `httpx` transport, in the words of the local API."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from simulator.chains import Chain

ARMS = ("model", "model", "explore", "bestsellers", "model")


@dataclass
class PaperAgent:
    """Offers flavours of a chain in turn, and remembers what it was told."""

    chain: Chain
    opened: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    menus: list[list[str]] = field(default_factory=list)
    in_stock: list[str] = field(default_factory=list)
    lose_answers: int = 0
    """So many outcomes are stored and then not answered."""
    refuse_with: int | None = None

    @property
    def transport(self) -> httpx.MockTransport:
        """What a `PosClient` takes as its network."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") != "Bearer paper":
            return httpx.Response(401, json={"title": "pairing token missing or wrong"})
        if self.refuse_with is not None:
            return httpx.Response(self.refuse_with, json={"title": "refused for the test"})
        body = json.loads(request.content)
        if request.url.path == "/v1/interactions":
            return self._open(body)
        if request.url.path == "/v1/menu":
            self.in_stock = body["in_stock"]
            self.menus.append(body["in_stock"])
            return httpx.Response(200, json={"in_stock": body["in_stock"], "version": len(self.menus)})
        return self._book(request, body)

    def _open(self, body: dict[str, Any]) -> httpx.Response:
        number = len(self.opened)
        self.opened.append(body)
        stock = [f for f in self.chain.flavours if not self.in_stock or f.id in self.in_stock]
        offered = [stock[(number + step) % len(stock)] for step in range(3)]
        arm = ARMS[number % len(ARMS)]
        from_model = arm != "bestsellers"
        answer = {
            "interaction_id": str(uuid.UUID(int=number)),
            "top3": [
                {"flavour": f.id, "name": f.names["en"], "probability": p if from_model else None}
                for f, p in zip(offered, (0.31, 0.18, 0.09), strict=True)
            ],
            "source": "model" if from_model else "bestsellers",
            "arm": arm,
            "model": "2026.11.22",
            "frame_age_ms": 40.0,
            "inference_ms": 0.42 if from_model else None,
            "total_ms": 0.61,
        }
        return httpx.Response(201, json=answer)

    def _book(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        known = key in self.outcomes
        if known and self.outcomes[key] != (request.url.path, body):
            return httpx.Response(409, json={"title": "the key was used with other content"})
        self.outcomes[key] = (request.url.path, body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(200 if known else 201, json={"outcome_id": key})
