"""A register in memory: a camera that shows what a test wants, and a model that needs no training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_agent.agent import Agent
from edge_agent.config import EdgeConfig
from edge_agent.memory_journal import MemoryJournal
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import CameraState, Frame
from inference import FlavourModel
from tests.builders.records import StandingClock, seeded_randomness
from tests.builders.tiny_model import build_model_dir, painted_frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

RECEIPT_KEY = bytes(range(32))


class StillCamera:
    """A camera whose picture a test sets."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.now_state = CameraState.LIVE

    def show(self, pixels: NDArray[np.uint8], captured_ns: int) -> None:
        sequence = 1 if self.frame is None else self.frame.sequence + 1
        self.frame = Frame(pixels, captured_ns, sequence)

    def latest(self) -> Frame | None:
        return self.frame

    def state(self) -> CameraState:
        return self.now_state

    def close(self) -> None:
        pass


@dataclass
class EventList:
    """Keeps every event."""

    heard: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        self.heard.append((kind, data))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.heard]


class Register:
    """Everything around one agent."""

    def __init__(self, model_dir: Path | None, **config: Any) -> None:
        self.clock = StandingClock()
        self.camera = StillCamera()
        self.events = EventList()
        self.journal = MemoryJournal(self.clock, seeded_randomness(1))
        self.slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
        if model_dir is not None:
            self.slot.put(FlavourModel.load(model_dir), model_dir)
        self.config = EdgeConfig(
            **{"tenant": "gelateria-sole", "store": "rimini", "register": "till-1", "shop_kind": "beach"}
            | config
        )
        self.watch: Any = None
        self.agent = self.restarted()

    def restarted(self) -> Agent:
        """Another agent over the same journal, as after a restart."""
        self.agent = Agent(
            config=self.config,
            camera=self.camera,
            model_slot=self.slot,
            journal=self.journal,
            clock=self.clock,
            events=self.events,
            randomness=seeded_randomness(2),
            receipt_key=RECEIPT_KEY,
            watch=self._watched,
        )
        return self.agent

    def _watched(self, *look: Any) -> None:
        if self.watch is not None:
            self.watch(*look)

    def somebody_likes(self, flavour: str) -> None:
        """The tiny model reads the flavour from the picture's colour."""
        self.camera.show(painted_frame(flavour), self.clock.ns)

    def nobody_is_there(self) -> None:
        self.camera.show(np.zeros((480, 640, 3), np.uint8), self.clock.ns)


__all__ = ["RECEIPT_KEY", "EventList", "Register", "StillCamera", "build_model_dir"]
