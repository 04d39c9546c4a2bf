"""One register before customers come: its camera's ring, its agent, the model it was told to use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference import Manifest
from simulator.chains import Chain, Shop
from simulator.demo.agent_process import AgentProcess, Settings
from simulator.demo.errors import AgentFailedError, ModelMismatchError
from simulator.demo.live_state import RegisterInfo
from simulator.frame_ring_writer import FrameRingWriter
from wire_protocol.topics import Identity

FRAME_HEIGHT = 360
"""Pixels of a picture that is sent: the emulated store keeps all of them in memory."""
FRAMES_PER_DAY = 4000
"""A demo that is forgotten fills no memory; a busy register gets there after five hours."""


REPORT_EVERY_S = 1
"""Rollouts wait for what reports say; real ones come every five minutes."""
TRIAL_S = 3.0
TRIAL_ANSWERS = 6
HOLD_S = 20
"""So long a picture waits for a phone: shorter than the demo waits for spools at its end."""


@dataclass(frozen=True, slots=True)
class Way:
    """A register's way to the cloud.

    Args:
        enrol_url: Enrolment service.
        code: The register's one-time code.
        cable_port: Where its cable to the broker begins.
        phones_url: The public API, where codes on the display lead.
    """

    enrol_url: str
    code: str
    cable_port: int
    phones_url: str


@dataclass(frozen=True, slots=True)
class Post:
    """One register while the demo is being put together."""

    chain: Chain
    shop: Shop
    model: Path
    manifest: Manifest
    agent: AgentProcess
    ring: FrameRingWriter

    @property
    def identity(self) -> Identity:
        """As the register's certificate has it."""
        return Identity(self.chain.tenant, f"{self.shop.id}-1")

    async def start(self, way: Way | None) -> RegisterInfo:
        """Enrol if there is a cloud, and start the agent on the register's camera; returns when it is ready.

        Raises:
            AgentFailedError: It could not enrol, ended, or was not ready in time.
        """
        settings: Settings = {
            "tenant": self.chain.tenant,
            "store": self.shop.id,
            "register": self.identity.register,
            "shop_kind": self.shop.kind,
            "model_dir": str(self.model.resolve()),
            "camera": {"source": f"synthetic:{self.ring.path}"},
            "api": {"port": 0},
            "uplink": {
                "enabled": way is not None,
                "frame_height": FRAME_HEIGHT,
                "report_every_s": REPORT_EVERY_S,
                **({} if way is None else _handover(way)),
            },
            "updates": {"trial_s": TRIAL_S, "trial_recommendations": TRIAL_ANSWERS},
            "sampling": {"per_day": FRAMES_PER_DAY},
            "consent": {"controller": self.chain.name},
            "log": {"format": "human"},
        }
        if way is not None:
            self.agent.configure(settings)
            await self._enrol(way)
        await self.agent.start(settings)
        await self.agent.wait_ready()
        return RegisterInfo.of(self.chain, self.shop, self.manifest, self.agent.url)

    async def _enrol(self, way: Way) -> None:
        status, said = await self.agent.command("enrol", "--url", way.enrol_url, "--code", way.code)
        if status != 0:
            raise AgentFailedError(f"{self.agent.name} could not enrol", remedy=said)
        # Where an installer lays a cable: from here on the register's broker is its own relay's end.
        place = self.agent.data_dir / "uplink" / "identity.json"
        written = json.loads(place.read_bytes())
        written["broker"]["port"] = way.cable_port
        place.write_text(json.dumps(written))


def _handover(way: Way) -> Mapping[str, str | float | bool]:
    return {"handover": True, "handover_url": way.phones_url, "handover_hold_s": HOLD_S}


async def start_all(posts: Sequence[Post], ways: Mapping[Identity, Way]) -> list[RegisterInfo]:
    """Start all agents side by side; returns when the last one is ready.

    Args:
        posts: Which.
        ways: Their ways to the cloud; empty without one.

    Raises:
        AgentFailedError: The first that failed.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(post.start(ways.get(post.identity)), name=f"start {post.agent.name}")
                for post in posts
            ]
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
