"""One register before customers come: its camera's ring, its agent, the model it was told to use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference import Manifest
from simulator.chains import Chain, Shop
from simulator.demo.agent_process import AgentProcess
from simulator.demo.errors import AgentFailedError, ModelMismatchError
from simulator.demo.live_state import RegisterInfo
from simulator.frame_ring_writer import FrameRingWriter


@dataclass(frozen=True, slots=True)
class Post:
    """One register while the demo is being put together."""

    chain: Chain
    shop: Shop
    model: Path
    manifest: Manifest
    agent: AgentProcess
    ring: FrameRingWriter

    async def start(self) -> RegisterInfo:
        """Start the agent on the register's camera; returns when it is ready.

        Raises:
            AgentFailedError: It ended, or was not ready in time.
        """
        await self.agent.start(
            {
                "tenant": self.chain.tenant,
                "store": self.shop.id,
                "register": f"{self.shop.id}-1",
                "shop_kind": self.shop.kind,
                "model_dir": str(self.model.resolve()),
                "camera": {"source": f"synthetic:{self.ring.path}"},
                "api": {"port": 0},
                "log": {"format": "human"},
            }
        )
        await self.agent.wait_ready()
        return RegisterInfo.of(self.chain, self.shop, self.manifest, self.agent.url)


async def start_all(posts: Sequence[Post]) -> list[RegisterInfo]:
    """Start all agents side by side; returns when the last one is ready.

    Raises:
        AgentFailedError: The first that failed.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(post.start(), name=f"start {post.agent.name}") for post in posts]
    except* AgentFailedError as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def read_manifest(chain: Chain, model: Path) -> Manifest:
    """The manifest of a chain's model.

    Raises:
        ModelMismatchError: There is none, or it is another catalogue's.
        ManifestError: It cannot be read.
    """
    path = model / "manifest.json"
    if not path.is_file():
        raise ModelMismatchError(
            f"there is no model of {chain.name} in {model}",
            remedy="Point --models at a folder that holds one model directory per chain.",
        )
    manifest = Manifest.from_json(path.read_bytes())
    if manifest.tenant != chain.tenant or manifest.flavour_ids != tuple(f.id for f in chain.flavours):
        raise ModelMismatchError(
            f"the model in {model} was made for another catalogue than that of {chain.name}",
            remedy="Train it on this version of the simulated world (`topscoop model train`).",
        )
    return manifest
