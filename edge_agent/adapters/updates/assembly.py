"""The updates of a running agent, put together; imported only where the uplink is switched on."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge_agent.adapters.cameras.thread_priority import yield_to_requests
from edge_agent.adapters.updates.beginning import RELEASES, Beginning, folder_of
from edge_agent.adapters.updates.file_courier import CourierParts, FileCourier
from edge_agent.adapters.updates.metrics import UpdateMetrics
from edge_agent.adapters.updates.release_folders import ReleaseFolders
from edge_agent.adapters.updates.updater_process import UpdaterProcess
from edge_agent.adapters.uplink import key_files
from edge_agent.config import EdgeConfig
from edge_agent.ports import Clock, Randomness
from edge_agent.updates.errand import Piece
from edge_agent.updates.parts import Places, UpdatesParts
from edge_agent.updates.ports import Errand, ModelUser
from edge_agent.updates.steps import Stepped, unheard
from edge_agent.updates.updates_loop import Updates
from wire_protocol.envelope import VerifiedMessage
from wire_protocol.fleet_messages import DesiredDown


@dataclass(frozen=True, slots=True)
class UpdatesAround:
    """What updates share with the agent and its uplink.

    Args:
        beginning: What the start chose.
        models: The agent's.
        courier: The uplink's parts that fetch files.
        signed_ms: The latest time that the cloud signed.
        changed: Told when a report is worth sending.
        errand: Makes updaters; tests put others here.
        stepped: Told after every step; tests end the process there.
    """

    config: EdgeConfig
    clock: Clock
    randomness: Randomness
    agent_version: str
    beginning: Beginning
    models: ModelUser
    courier: CourierParts
    signed_ms: Callable[[], int]
    changed: Callable[[], None]
    errand: Callable[[], Errand] = UpdaterProcess
    stepped: Stepped = unheard


class UpdateService:
    """Updates with everything that they need, until `close`."""

    def __init__(self, around: UpdatesAround) -> None:
        beginning, config = around.beginning, around.config
        folder = folder_of(config.data_dir)
        self._store = beginning.store
        self._executors = [
            ThreadPoolExecutor(1, thread_name_prefix=name, initializer=yield_to_requests)
            for name in ("updates", "shadow")
        ]
        self.courier = FileCourier(around.courier, self._give)
        self.updates = Updates(
            UpdatesParts(
                config=config.updates,
                tenant=config.tenant,
                agent_version=around.agent_version,
                places=Places(
                    installed=beginning.installed,
                    root=config.data_dir / key_files.FOLDER / key_files.ROOT_FILE,
                    metadata=folder / "metadata",
                    staging=folder / "staging",
                    releases=folder / RELEASES,
                ),
                facts=beginning.facts,
                running=beginning.choice,
                store=beginning.store,
                releases=ReleaseFolders(folder / RELEASES),
                models=around.models,
                errand=around.errand,
                needs=self.courier.need,
                clock=around.clock,
                now_ms=around.courier.now_ms,
                signed_ms=around.signed_ms,
                randomness=around.randomness,
                chance=random.SystemRandom().random,
                changed=around.changed,
                executor=self._executors[0],
                shadow_executor=self._executors[1],
                stepped=around.stepped,
            ),
            beginning.model,
        )
        self.metrics = UpdateMetrics(self)

    def heard(self, verified: VerifiedMessage) -> None:
        """What the cloud signed for updates."""
        if isinstance(verified.payload, DesiredDown):
            self.updates.desired(verified.payload)
        else:
            self.courier.came(verified)

    def _give(self, piece: Piece) -> None:
        self.updates.give(piece)

    def close(self) -> None:
        """After the loop: threads and file."""
        for executor in self._executors:
            executor.shutdown(wait=True, cancel_futures=True)
        self._store.close()
