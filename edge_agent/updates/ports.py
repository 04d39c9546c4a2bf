"""What updates ask of the world: durable facts, an updater, folders of releases, and the agent's model."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from edge_agent.ports import Model
from edge_agent.seen import Seen
from edge_agent.updates.errand import Done, Failed, Job, Need, Piece, Progress
from edge_agent.updates.facts import Facts


class FactStore(Protocol):
    """Keeps the facts; calls may wait for the disk, so call it off the event loop."""

    def load(self) -> Facts:
        """The facts as they were saved last; of what is damaged, what its copy says. Never raises."""

    def save(self, facts: Facts) -> None:
        """Durable on return, all or nothing. Raises StateError."""

    def close(self) -> None:
        """Close; may be called twice."""


class Releases(Protocol):
    """The folders of complete releases; calls may wait for the disk."""

    def path(self, directory: str) -> Path:
        """Where a release lies."""

    def clear(self, keep: Collection[str]) -> None:
        """Remove every folder but these; what cannot be removed is told and left."""


class Errand(Protocol):
    """One updater process, once."""

    async def run(
        self, job: Job, need: Callable[[Need], None], progress: Callable[[Progress], None]
    ) -> Done | Failed:
        """Start it, pass on what it says, and tell how it ended; its death is a `Failed`.

        Cancelled, it is killed and waited for.
        """

    def give(self, piece: Piece) -> None:
        """The answer to a `Need`; never waits, and does nothing where nobody is there any more."""


class ModelUser(Protocol):
    """The part of the agent that has the model; on the event loop, but for `load`."""

    def load(self, directory: Path) -> Model:
        """Read, check and try; off the event loop. Raises ModelRefusedError."""

    def use(self, model: Model | None, directory: Path | None) -> None:
        """From the next interaction on; None: best-sellers."""

    def look(self) -> Seen:
        """Ask the model about the newest picture; nothing is recorded or shown."""
