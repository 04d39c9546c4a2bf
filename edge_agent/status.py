"""How the agent is, for health pages and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge_agent.impression import Impression
from edge_agent.ports import CameraState, Model


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model is in use."""

    name: str
    version: str
    digest: str
    directory: Path | None

    @classmethod
    def of(cls, model: Model, directory: Path | None) -> Self:
        """Describe a loaded model."""
        return cls(model.manifest.name, model.manifest.version, model.digest, directory)


@dataclass(frozen=True, slots=True)
class Status:
    """One moment of the agent; nothing in it asks disk or camera."""

    camera: CameraState
    frame_age_ms: float | None
    model: ModelInfo | None
    model_failures: int
    """Since the start; each was answered with best-sellers."""
    menu_version: int
    in_stock: int
    catalogue: int
    open_interactions: int
    journal: Mapping[str, int]
    """As `Journal.counts`."""
    last: Impression | None
