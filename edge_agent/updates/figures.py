"""How the register's releases are at this moment, for reports, pages and metrics; pure."""

from dataclasses import dataclass, replace

from edge_agent.updates.choice import Choice, Source
from edge_agent.updates.errand import Progress
from edge_agent.updates.facts import Attempt, Facts
from wire_protocol.fleet_messages import (
    MetadataSeen,
    ModelHealth,
    ShadowHealth,
    UpdateProgress,
    UpdateState,
)


@dataclass(frozen=True, slots=True)
class UpdateFigures:
    """What a report says about releases, and a little more."""

    generation: int = 0
    release: int | None = None
    source: Source = Source.INSTALLED
    update: UpdateProgress | None = None
    metadata: MetadataSeen | None = None
    health: ModelHealth | None = None
    shadow: ShadowHealth | None = None
    trial_progress: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """The models in figures.

    Args:
        health: Of the one in use.
        shadow: Of the shadow, if one runs.
        trial_progress: 0 to 1 while a release is on trial.
    """

    health: ModelHealth | None = None
    shadow: ShadowHealth | None = None
    trial_progress: float | None = None


def figures(facts: Facts, running: Choice, progress: Progress | None, watched: Watched) -> UpdateFigures:
    """Put together.

    Args:
        facts: The durable ones.
        running: What is in use.
        progress: Of the errand for the present attempt, while one runs.
        watched: What was seen of the models.
    """
    metadata = None if facts.listing is None else replace(facts.listing.metadata, floor=facts.floor)
    return UpdateFigures(
        generation=facts.generation,
        release=running.release,
        source=running.source,
        update=None if facts.attempt is None else _update(facts.attempt, progress),
        metadata=metadata,
        health=watched.health,
        shadow=watched.shadow,
        trial_progress=watched.trial_progress,
    )


def _update(attempt: Attempt, progress: Progress | None) -> UpdateProgress:
    """The attempt; while its errand runs, how far that is in place of an earlier trouble."""
    said = UpdateProgress(
        transaction=bytes.fromhex(attempt.transaction),
        release=attempt.release,
        state=attempt.state,
        at=attempt.at_ms,
        reason=attempt.reason,
        words=attempt.words,
    )
    if progress is None or attempt.state is not UpdateState.WAITING:
        return said
    return replace(
        said,
        state=progress.state,
        fetched_bytes=progress.fetched_bytes,
        total_bytes=progress.total_bytes,
        reason=None,
        words=None,
    )
