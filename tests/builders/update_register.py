"""A register that takes releases, in memory: real agent and models, an updater that does what a test says."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_agent.adapters.updates.agent_model import AgentModel
from edge_agent.config import UpdatesConfig
from edge_agent.updates import transitions
from edge_agent.updates.choice import INSTALLED
from edge_agent.updates.errand import Done, Failed, Job, Need, Piece, Progress, Verified, pack_listing
from edge_agent.updates.errors import StateError
from edge_agent.updates.facts import Facts
from edge_agent.updates.parts import Places, UpdatesParts
from edge_agent.updates.updates_loop import Updates
from inference import FlavourModel
from tests.builders.records import seeded_randomness
from tests.builders.register import Register
from tests.builders.tiny_model import build_model_dir
from wire_protocol.fleet_messages import DesiredDown, MetadataSeen, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from edge_agent.updates.steps import Step

DAY_MS = 86_400_000


@dataclass
class MemoryFacts:
    """A `FactStore` whose disk a test may fill."""

    saved: list[Facts] = field(default_factory=list)
    refuses: bool = False

    def load(self) -> Facts:
        return self.saved[-1] if self.saved else Facts()

    def save(self, facts: Facts) -> None:
        if self.refuses:
            raise StateError("the disk is full", remedy="Free some space.")
        self.saved.append(facts)

    def close(self) -> None:
        pass


class ScriptedErrand:
    """An `Errand` that ends as the test says."""

    def __init__(self, shelf: PaperUpdates) -> None:
        self._shelf = shelf
        self.pieces: list[Piece] = []

    async def run(
        self, job: Job, need: Callable[[Need], None], progress: Callable[[Progress], None]
    ) -> Done | Failed:
        shelf = self._shelf
        shelf.jobs.append(job)
        shelf.need, shelf.progress = need, progress
        try:
            if shelf.slow:
                await asyncio.Event().wait()
            return shelf.result(job)
        finally:
            shelf.ended += 1

    def give(self, piece: Piece) -> None:
        self.pieces.append(piece)


class PaperUpdates:
    """One register.

    Args:
        folder: For its models.
        facts: What an earlier life left.
        config: Of `[updates]`.
    """

    def __init__(self, folder: Path, *, facts: Facts | None = None, **config: Any) -> None:
        self.folder = folder
        self.installed = build_model_dir(folder / "installed", golden=False, seed=99)
        self.register = Register(self.installed)
        self.store = MemoryFacts()
        self.models: dict[int, Path] = {}
        self.there: set[str] = set()
        self.withdrawn: tuple[int, ...] = ()
        self.floor = 0
        self.failure: Failed | None = None
        self.slow = False
        self.jobs: list[Job] = []
        self.ended = 0
        self.need: Callable[[Need], None] | None = None
        self.progress: Callable[[Progress], None] | None = None
        self.needs: list[Need] = []
        self.steps: list[Step] = []
        self.reports = 0
        self.root = folder / "root.json"
        self.root.write_text("{}")
        self.executor = ThreadPoolExecutor(1)
        self._generation = 0
        register = self.register
        clock = register.clock
        running = INSTALLED
        self.errands: list[ScriptedErrand] = []
        self.updates = Updates(
            UpdatesParts(
                config=UpdatesConfig(**({"trial_s": 1.0, "trial_recommendations": 3} | config)),
                tenant="gelateria-sole",
                agent_version="1.0",
                places=Places(
                    self.installed, self.root, folder / "metadata", folder / "staging", folder / "releases"
                ),
                facts=transitions.started(facts or Facts(), clock.now_ms()),
                running=running,
                store=self.store,
                releases=self,
                models=AgentModel(register.agent, register.slot),
                errand=self._errand,
                needs=self.needs.append,
                clock=clock,
                now_ms=clock.now_ms,
                signed_ms=lambda: 0,
                randomness=seeded_randomness(5),
                chance=lambda: 0.0,
                changed=self._report,
                executor=self.executor,
                shadow_executor=self.executor,
                stepped=self.steps.append,
            ),
            register.slot.current,
        )
        register.watch = self.updates.watched

    # ---- what a test says ------------------------------------------------------------------------------

    def publish(self, release: int, **model: Any) -> str:
        """A release of the chain; its digest."""
        made = {"golden": False, "seed": release, "version": f"2026.1.{release}"} | model
        self.models[release] = build_model_dir(self.folder / "published" / str(release), **made)
        return self.digest(release)

    def digest(self, release: int) -> str:
        return FlavourModel.load(self.models[release]).digest

    def order(
        self,
        release: int | None = None,
        *,
        rollout: bytes | None = None,
        again: bool = False,
        **settings: Any,
    ) -> None:
        """The cloud's desired state, with the next generation, or `again` as it was retained."""
        self._generation += not again
        digest = None if release is None else self.digest(release)
        self.updates.desired(DesiredDown(self._generation, Settings(**settings), release, digest, rollout))

    async def advance(self, rounds: int = 1) -> None:
        """So many rounds; between them an errand comes to its end."""
        for _ in range(rounds):
            await self.updates.advance()
            for _ in range(3):
                await asyncio.sleep(0)

    async def bring(self, release: int, **settings: Any) -> None:
        """Order it, and go on until it is in use."""
        self.order(release, **settings)
        await self.advance(2)

    def customer(self, count: int = 1, *, took_ms: float = 0.0) -> None:
        """Somebody who likes mango."""
        for _ in range(count):
            self.register.somebody_likes("mango")
            self.register.agent.open_interaction()
            self.register.clock.advance(took_ms)

    async def prove(self) -> None:
        """Time and customers enough for a trial."""
        self.customer(3)
        self.register.clock.advance(1000)
        await self.advance()

    def close(self) -> None:
        self.executor.shutdown()

    # ---- `Releases`, and the errand's end --------------------------------------------------------------

    def path(self, directory: str) -> Path:
        release = int(directory.partition("-")[0])
        return self.models[release] if directory in self.there else self.folder / "gone"

    def clear(self, keep: Collection[str]) -> None:
        self.there &= set(keep)

    def result(self, job: Job) -> Done | Failed:
        if self.failure is not None:
            return self.failure
        digests = {one: self.digest(one) for one in self.models if one not in self.withdrawn}
        now_ms = self.register.clock.now_ms()
        seen = MetadataSeen(1, 1, 1, len(digests), now_ms + DAY_MS, self.floor)
        verified = Verified(seen, pack_listing(digests), self.withdrawn)
        if job.release is None or job.digest is None:
            return Done(verified)
        directory = f"{job.release}-{job.digest[:16]}"
        self.there.add(directory)
        manifest = hashlib.sha256((self.models[job.release] / "manifest.json").read_bytes()).hexdigest()
        return Done(verified, job.release, job.digest, directory, manifest=manifest)

    def _errand(self) -> ScriptedErrand:
        self.errands.append(ScriptedErrand(self))
        return self.errands[-1]

    def _report(self) -> None:
        self.reports += 1
