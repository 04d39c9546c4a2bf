"""An agent on paper: answers a till in the words of the local API, without any network."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.http_connection import Answer, LostConnectionError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    blanks: int | None = None
    """Consents that it can take; None: it asks nobody."""
    codes: int | None = None
    """Codes that it can show for phones; None: they are switched off."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What a `PosClient` takes as its connection."""
        if headers["Authorization"] != "Bearer paper":
            return _answer(401, title="pairing token missing or wrong")
        if self.refuse_with is not None:
            return _answer(self.refuse_with, title="refused for the test")
        if path.startswith("/v1/notice") or path.endswith(("/consent", "/withdrawal", "/handover")):
            return self._about_consent(path, json.loads(body))
        fields = json.loads(body)
        if (method, path) == ("POST", "/v1/interactions"):
            return self._open(fields)
        if (method, path) == ("PUT", "/v1/menu"):
            self.in_stock = fields["in_stock"]
            self.menus.append(fields["in_stock"])
            return _answer(200, in_stock=fields["in_stock"], version=len(self.menus))
        return self._book(path, headers["Idempotency-Key"], fields)

    async def aclose(self) -> None:
        """Nothing to close."""

    def _about_consent(self, path: str, fields: dict[str, Any]) -> Answer:
        if path.startswith("/v1/notice"):
            return _answer(404) if self.blanks is None else _answer(200, language="en", sha256="5a" * 32)
        if path.endswith("/handover"):
            return self._code(path)
        if path.endswith("/consent"):
            return self._consent(fields)
        self.withdrawn.append(path.split("/")[3])
        return _answer(201)

    def _consent(self, fields: dict[str, Any]) -> Answer:
        self.answers.append(fields)
        if not fields["granted"]:
            return _answer(200, granted=False)
        if not self.blanks:
            return _answer(503, title="no consent blank is left")
        self.blanks -= 1
        return _answer(201, consent_id=f"consent-{self.blanks}", withdrawal_code="0000-1111-2222-3333")

    def _code(self, path: str) -> Answer:
        if self.codes is None:
            return _answer(404, title="there is no such address")
        if not self.codes:
            return _answer(503, title="no phone can answer now")
        self.codes -= 1
        return _answer(200, url=f"http://polar-scoop.localhost:9/c/{path.split('/')[3]}")

    def _open(self, body: dict[str, Any]) -> Answer:
        number = len(self.opened)
        self.opened.append(body)
        stock = [f for f in self.chain.flavours if not self.in_stock or f.id in self.in_stock]
        offered = [stock[(number + step) % len(stock)] for step in range(3)]
        arm = ARMS[number % len(ARMS)]
        from_model = arm != "bestsellers"
        return _answer(
            201,
            interaction_id=str(uuid.UUID(int=number)),
            top3=[
                {"flavour": f.id, "name": f.names["en"], "probability": p if from_model else None}
                for f, p in zip(offered, (0.31, 0.18, 0.09), strict=True)
            ],
            source="model" if from_model else "bestsellers",
            arm=arm,
            model="2026.11.22",
            frame_age_ms=40.0,
            inference_ms=0.42 if from_model else None,
            total_ms=0.61,
        )

    def _book(self, path: str, key: str, body: dict[str, Any]) -> Answer:
        known = key in self.outcomes
        if known and self.outcomes[key] != (path, body):
            return _answer(409, title="the key was used with other content")
        self.outcomes[key] = (path, body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise LostConnectionError("connection reset")
        return _answer(200 if known else 201, outcome_id=key)


def _answer(status: int, **fields: Any) -> Answer:
    return Answer(status, json.dumps(fields).encode())
