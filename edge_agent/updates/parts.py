"""What updates need of the agent around them."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from edge_agent.config import UpdatesConfig
from edge_agent.ports import Clock, Randomness
from edge_agent.updates.choice import Choice
from edge_agent.updates.errand import Need
from edge_agent.updates.facts import Facts
from edge_agent.updates.ports import Errand, FactStore, ModelUser, Releases
from edge_agent.updates.steps import Stepped


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie on this register."""

    installed: Path | None
    """The model that the register was installed with, where it can be used."""
    root: Path
    """The root of trust, as enrolment brought it."""
    metadata: Path
    staging: Path
    releases: Path


@dataclass(frozen=True, slots=True)
class UpdatesParts:
    """Everything, made by the assembly.

    Args:
        tenant: The chain.
        agent_version: What a release's manifest may ask for.
        facts: Of the start, saved.
        running: What the start put in use.
        errand: Makes the next errand; what it needs goes to `needs`, the answers come by `Updates.give`.
        signed_ms: The latest time that the cloud signed.
        now_ms: The register's time.
        changed: Told when a report is worth sending.
        chance: Uniform random numbers, 0 <= x < 1.
        executor: One thread that yields to requests.
        shadow_executor: Another one.
        stepped: Told after every step.
    """

    config: UpdatesConfig
    tenant: str
    agent_version: str
    places: Places
    facts: Facts
    running: Choice
    store: FactStore
    releases: Releases
    models: ModelUser
    errand: Callable[[], Errand]
    needs: Callable[[Need], None]
    clock: Clock
    now_ms: Callable[[], int]
    signed_ms: Callable[[], int]
    randomness: Randomness
    chance: Callable[[], float]
    changed: Callable[[], None]
    executor: Executor
    shadow_executor: Executor
    stepped: Stepped
