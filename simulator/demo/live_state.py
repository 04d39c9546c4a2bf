"""What the demo knows at this moment: every register, every chain's score, latencies, errors. Pure.

Tills tell what happened, the page and the final report read; both on one event loop, so nothing is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inference import Manifest
from simulator.chains import Chain, Shop
from simulator.demo.scoreboard import ChainScore, Latencies, Quantiles, possible_hits
from simulator.pos import Interaction
from simulator.shop_simulator import Visit

KEPT_ERRORS = 50
FROM_MODEL = "model"
"""The value of `source` that says that the slate is the model's."""


class Phase(StrEnum):
    """Where the customer of a register is."""

    EMPTY = "empty"
    LOOKING = "looking"
    CHOOSING = "choosing"
    SERVED = "served"
    CLOSED = "closed"  # the agent ended


@dataclass(frozen=True, slots=True)
class RegisterInfo:
    """What never changes about a register."""

    id: str
    chain: Chain
    shop: Shop
    best_sellers: tuple[int, ...]
    """All flavours, most sold first, by the manifest of the chain's model."""
    url: str

    @classmethod
    def of(cls, chain: Chain, shop: Shop, manifest: Manifest, url: str) -> RegisterInfo:
        """The register of a shop; its catalogue order must be the manifest's."""
        return cls(
            id=f"{chain.tenant}/{shop.id}",
            chain=chain,
            shop=shop,
            best_sellers=tuple(manifest.index_of(flavour) for flavour in manifest.bestsellers),
            url=url,
        )

    @property
    def shop_name(self) -> str:
        """The shop's name for people."""
        return self.shop.id.replace("-", " ").title()

    def slate(self, interaction: Interaction) -> list[int]:
        """The catalogue's indices of what was offered."""
        ids = [flavour.id for flavour in self.chain.flavours]
        return [ids.index(offer.flavour) for offer in interaction.top3]


@dataclass(slots=True)
class RegisterState:
    """One register as the page shows it."""

    info: RegisterInfo
    phase: Phase = Phase.EMPTY
    visit: Visit | None = None
    interaction: Interaction | None = None
    bought: int | None = None
    served: int = 0
    problem: str | None = None
    consented: int = 0
    declined: int = 0
    withdrawn: int = 0


@dataclass(slots=True)
class LiveState:
    """Everything that was seen since the demo was ready."""

    registers: dict[str, RegisterState]
    scores: dict[str, ChainScore]
    inference: Latencies = field(default_factory=Latencies)
    request: Latencies = field(default_factory=Latencies)
    interactions: int = 0
    unacknowledged: int = 0
    """Outcomes that were sent, or should have been, and were not acknowledged."""
    error_count: int = 0
    errors: list[str] = field(default_factory=list)
    _changed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, infos: Sequence[RegisterInfo]) -> LiveState:
        """The state before the first customer."""
        return cls(
            registers={info.id: RegisterState(info) for info in infos},
            scores={info.chain.tenant: ChainScore() for info in infos},
        )

    def arrived(self, register: str, visit: Visit) -> None:
        """A customer stands at the register."""
        state = self._change(register, Phase.LOOKING)
        state.visit = visit
        state.interaction = state.bought = None

    def recommended(self, register: str, interaction: Interaction) -> None:
        """The agent answered with three flavours."""
        self._change(register, Phase.CHOOSING).interaction = interaction
        self.interactions += 1
        self.unacknowledged += 1
        self.request.add(interaction.request_ms)
        if interaction.inference_ms is not None:
            self.inference.add(interaction.inference_ms)

    def answered(self, register: str, *, consented: bool) -> None:
        """The customer was asked whether the picture may be kept."""
        state = self._change(register)
        state.consented += consented
        state.declined += not consented

    def withdrew(self, register: str) -> None:
        """A customer took a consent back."""
        self._change(register).withdrawn += 1

    def sold(self, register: str, bought: int) -> None:
        """The agent acknowledged the outcome."""
        state = self._change(register, Phase.SERVED)
        assert state.visit is not None, "nobody was there"
        assert state.interaction is not None, "nothing was offered"
        state.bought = bought
        state.served += 1
        if state.phase is not Phase.CLOSED:
            state.problem = None
        self.unacknowledged -= 1
        if state.interaction.source == FROM_MODEL:
            slate = state.info.slate(state.interaction)
            hits = possible_hits(state.visit.truth, slate, state.info.best_sellers)
            self.scores[state.info.chain.tenant].add(hits, realised=bought in slate)

    def left(self, register: str) -> None:
        """The customer went away; what was recommended stays on the page until the next one comes."""
        self._change(register, Phase.EMPTY)

    def failed(self, register: str, problem: str) -> None:
        """A request went wrong; the register goes on."""
        self._change(register).problem = problem
        self._count(f"{register}: {problem}")

    def closed(self, register: str, problem: str) -> None:
        """The agent of a register ended by itself; nobody is served there any more."""
        self._change(register, Phase.CLOSED).problem = problem
        self._count(problem)

    def broken(self, problem: str) -> None:
        """Something beside the registers ended or went wrong."""
        self._count(problem)

    def mark(self, now_s: float) -> None:
        """Let the time charts grow."""
        for score in self.scores.values():
            score.mark(now_s)

    def take_changed(self) -> list[str]:
        """Ids of the registers that changed since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return changed

    def _change(self, register: str, phase: Phase | None = None) -> RegisterState:
        """Go to the next phase, if it is one; a closed register stays closed, whatever still comes in."""
        self._changed.add(register)
        state = self.registers[register]
        if phase is not None and state.phase is not Phase.CLOSED:
            state.phase = phase
        return state

    def _count(self, error: str) -> None:
        self.error_count += 1
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(error)


def register_info_view(info: RegisterInfo) -> Mapping[str, Any]:
    """What the page needs once about a register."""
    return {
        "id": info.id,
        "chain": info.chain.tenant,
        "shop": info.shop_name,
        "kind": info.shop.kind,
        "display": f"{info.url}/display",
    }


def register_view(state: RegisterState) -> Mapping[str, Any]:
    """What the page shows of a register now."""
    flavours, interaction = state.info.chain.flavours, state.interaction
    view: dict[str, Any] = {
        "id": state.info.id,
        "phase": state.phase,
        "served": state.served,
        "problem": state.problem,
        "sold_out": _sold_out(state),
        "asked": {"yes": state.consented, "no": state.declined, "back": state.withdrawn},
        "recommendation": None,
        "bought": None,
    }
    if interaction is not None:
        colours = {flavour.id: flavour.colour for flavour in flavours}
        view["recommendation"] = {
            "id": interaction.interaction_id,
            "source": interaction.source,
            "arm": interaction.arm,
            "inference_ms": interaction.inference_ms,
            "request_ms": interaction.request_ms,
            "top3": [
                {"name": offer.name, "colour": colours[offer.flavour], "probability": offer.probability}
                for offer in interaction.top3
            ],
        }
        if state.bought is not None and state.visit is not None:
            slate = state.info.slate(interaction)
            view["bought"] = {
                "name": flavours[state.bought].names["en"],
                "colour": flavours[state.bought].colour,
                "quantity": state.visit.quantity,
                "position": slate.index(state.bought) if state.bought in slate else None,
            }
    return view


def scores_view(live: LiveState, now_s: float) -> Mapping[str, Any]:
    """The running figures of all chains, without their histories."""
    return {
        "t_s": round(now_s, 1),
        "interactions": live.interactions,
        "errors": live.error_count,
        "latency_ms": {
            "inference": quantiles_view(live.inference.quantiles),
            "request": quantiles_view(live.request.quantiles),
        },
        "chains": {tenant: score_view(score) for tenant, score in live.scores.items()},
    }


def score_view(score: ChainScore) -> Mapping[str, Any]:
    """One chain's running figures."""
    means = score.means
    return {
        "counted": score.counted,
        "model": means.model if means else None,
        "bestsellers": means.bestsellers if means else None,
        "bayes": means.bayes if means else None,
        "realised": score.realised,
    }


def history_view(score: ChainScore) -> Sequence[Sequence[float]]:
    """Points [seconds, model, best-sellers, Bayes] of the time chart."""
    return [[round(point.t_s, 1), *(round(value, 4) for value in point[1:])] for point in score.history]


def quantiles_view(quantiles: Quantiles | None) -> Mapping[str, float | None]:
    """Quantiles as JSON; null while nothing was measured."""
    if quantiles is None:
        return {"p50": None, "p99": None}
    return {"p50": round(quantiles.p50, 3), "p99": round(quantiles.p99, 3)}


def _sold_out(state: RegisterState) -> list[str]:
    if state.visit is None:
        return []
    pairs = zip(state.info.chain.flavours, state.visit.in_stock, strict=True)
    return [flavour.names["en"] for flavour, held in pairs if not held]
