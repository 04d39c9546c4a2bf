"""A register, a broker and a signed repository, for tests of updates with the real agent and updater."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.builders.agent_process import AgentProcess, agent_environment, running_agent
from tests.builders.mosquitto import Mosquitto
from tests.builders.release_repository import ModelFiles, ReleaseRepository, chain_model
from tests.builders.scripted_cloud import MTLS, PaperCloud, ScriptedCollector
from wire_protocol.topics import Down, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from edge_agent.updates.steps import Step
    from wire_protocol.messages import ReportUp

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60.0
CONFIG = """\
tenant = "gelateria-sole"
store = "rimini"
register = "till-1"
shop_kind = "beach"
data_dir = "{data}"
camera = "synthetic:"
[api]
pairing_tokens = ["a-token-for-tests-only"]
[uplink]
enabled = true
report_every_s = 10
[updates]
trial_s = 1
trial_recommendations = 5
"""
PATIENT_MS = 500.0
"""Budget of the releases here: a busy machine's hiccups are no test's business."""


def patient(note: str) -> ModelFiles:
    """The chain's model with other bytes and all the time in the world."""
    made = chain_model("gelateria-sole").noted(note)
    budget = replace(made.manifest.latency_budget_ms, p99=PATIENT_MS)
    return replace(made, manifest=replace(made.manifest, latency_budget_ms=budget))


@dataclass
class UpdateStage:
    """Everything but the agent."""

    folder: Path
    cloud: PaperCloud
    broker: Mosquitto
    repository: ReleaseRepository
    collector: ScriptedCollector
    generation: int = 0
    digests: dict[int, str] = field(default_factory=dict)
    """Of everything that was ever published."""

    @property
    def config(self) -> Path:
        return self.folder / "edge.toml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def release(self, number: int, files: ModelFiles | None = None, **policy: Any) -> str:
        """Publish a release; its digest. `policy` changes with it."""
        made = files or patient(f"release {number}")
        self.repository.add_release(number, files=made, note=None, publish=not policy)
        if policy:
            self.repository.set_policy(**policy)
        self.digests[number] = self.repository.digest(number)
        return self.digests[number]

    def order(self, release: int | None, **settings: Any) -> int:
        """The desired state, retained."""
        self.generation += 1
        digest = None if release is None else self.digests[release]
        message = self.cloud.desired(self.generation, release, digest, **settings)
        self.collector.publish(Down.DESIRED, message, retain=True)
        return self.generation

    @property
    def reports(self) -> list[ReportUp]:
        return [message.payload for message in self.collector.of(Up.REPORT)]  # type: ignore[misc]

    def wait_for_report(self, condition: Callable[[ReportUp], bool], timeout_s: float = 40) -> ReportUp:
        """The newest report that makes it true."""
        self.collector.wait_for(lambda: any(condition(one) for one in self.reports), timeout_s)
        return next(one for one in reversed(self.reports) if condition(one))

    def wait_until_good(self, release: int) -> ReportUp:
        """Until the register attests that this release runs, and is GOOD."""
        digest, generation = self.digests[release], self.generation
        return self.wait_for_report(
            lambda one: (
                (one.release, one.model_digest, one.generation) == (release, digest, generation)
                and one.update is not None
                and (one.update.release, one.update.state.value) == (release, "good")
            )
        )

    def running(self) -> Any:
        """The agent, as `topscoop edge run` starts it."""
        return running_agent(self.config)

    @contextmanager
    def doomed(self, step: Step) -> Iterator[AgentProcess]:
        """An agent that dies of the next update at this step; at the end of the block it must have."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.builders.killed_agent", str(self.config), str(int(step))],
            cwd=_ROOT,
            env=agent_environment({}),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        agent = AgentProcess(process, self.data_dir)
        reading = threading.Thread(target=agent.read_log, daemon=True)
        reading.start()
        try:
            yield agent
            assert process.wait(_PATIENCE_S) == -signal.SIGKILL, "".join(agent.raw)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not come to {step!r}: {''.join(agent.raw)}") from None
        finally:
            process.kill()
            process.wait()
            reading.join(_PATIENCE_S)


@contextmanager
def update_stage(folder: Path) -> Iterator[UpdateStage]:
    """Broker, cloud, repository; the register is enrolled."""
    cloud = PaperCloud()
    cloud.authority.server(folder / "mosquitto")
    repository = ReleaseRepository(folder / "store")
    config = CONFIG.format(data=folder / "data")
    (folder / "edge.toml").write_text(config, encoding="utf-8")
    with Mosquitto(folder / "mosquitto", MTLS, listeners=2) as broker:
        cloud.enrol(folder / "data", port=broker.port, release_root=repository.first_root)
        collector = ScriptedCollector(cloud, broker.ports[1], repository=repository.folder)
        try:
            yield UpdateStage(folder, cloud, broker, repository, collector)
        finally:
            collector.close()


def until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Until it is so."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
