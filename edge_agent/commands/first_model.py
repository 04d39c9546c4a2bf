"""The model that a daemon begins with, and its releases, where it has any or may get some."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.log_fields import fields
from edge_agent.adapters.clock import SystemClock
from edge_agent.agent import Agent
from edge_agent.config import EdgeConfig
from edge_agent.errors import ModelRefusedError
from edge_agent.model_slot import ModelSlot
from inference import ModelError
from inference.default_models import default_model_dir
from inference.loading import read_manifest

if TYPE_CHECKING:
    from edge_agent.adapters.updates.beginning import Beginning
    from edge_agent.adapters.uplink.assembly import Uplink

log = logging.getLogger(__name__)

_FOLDER = "updates"


def begin_with_releases(slot: ModelSlot, config: EdgeConfig, clock: SystemClock) -> "Beginning | None":
    """The model that the register's releases say; None for a register that takes none and has none."""
    if not (config.uplink.enabled or (config.data_dir / _FOLDER).exists()):
        return None
    from edge_agent.adapters.updates.beginning import begin

    try:
        installed = config.model_dir or default_model_dir(config.tenant)
    except ModelError as error:
        _refused(error)
        installed = None
    beginning = begin(config.data_dir, clock, slot.load, installed)
    if beginning.model is not None and beginning.directory is not None:
        slot.put(beginning.model, beginning.directory)
    return beginning


def load_installed(slot: ModelSlot, config: EdgeConfig) -> Path | None:
    """Put the installed model into the slot; without one the agent goes on with best-sellers and says so."""
    try:
        directory = config.model_dir or default_model_dir(config.tenant)
        model = slot.load(directory)
    except (ModelError, ModelRefusedError) as error:
        _refused(error)
        return config.model_dir
    slot.put(model, directory)
    log.info("model.loaded", extra=fields(version=model.manifest.version, digest=model.digest))
    return directory


def with_something_to_show(config: EdgeConfig, slot: ModelSlot, model_dir: Path | None) -> EdgeConfig:
    """A register whose releases may not run any more shows the best-sellers of the model it came with."""
    if slot.current is not None or config.menu.bestsellers or model_dir is None:
        return config
    try:
        known = read_manifest(model_dir).bestsellers
    except ModelError:
        return config
    return replace(config, menu=replace(config.menu, bestsellers=known))


def take_releases(uplink: "Uplink", agent: Agent, slot: ModelSlot) -> None:
    """From the uplink, when the agent is made."""
    from edge_agent.adapters.updates.agent_model import AgentModel

    uplink.take_releases(AgentModel(agent, slot))


def floor_of(uplink: "Uplink | None", beginning: "Beginning | None") -> int:
    """The lowest release that may run; 0 while none was ever signed."""
    if uplink is not None and uplink.releases is not None:
        return uplink.releases.updates.facts.floor
    return 0 if beginning is None else beginning.facts.floor


def ended_in_order(uplink: "Uplink | None", beginning: "Beginning | None") -> None:
    """A release on trial is not blamed for this end."""
    if uplink is not None and uplink.releases is not None:
        uplink.releases.updates.end()
    elif beginning is not None:
        from edge_agent.adapters.updates.beginning import end

        end(beginning)


def _refused(error: ModelError | ModelRefusedError) -> None:
    log.error("model.refused", extra=fields(error=str(error), remedy=error.remedy, shown="best-sellers"))
