"""Configuration and model for the verbs that measure or try out, and are no agent."""

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.adapters.config_sources import load_config
from edge_agent.adapters.memory import hold_back
from edge_agent.config import ArmsConfig, EdgeConfig
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import Model
from inference import FlavourModel
from inference.default_models import DEFAULT_CHAIN, default_model_dir

_NO_ARMS = ArmsConfig(explore=0.0, bestsellers=0.0)


@dataclass(frozen=True, slots=True)
class Setup:
    """What `--config`, `--model` and `--chain` came to."""

    config: EdgeConfig
    slot: ModelSlot
    model: Model

    @property
    def name(self) -> str:
        """The model's name and version."""
        return f"{self.model.manifest.name} {self.model.manifest.version}"


def load_setup(args: argparse.Namespace) -> Setup:
    """Read the configuration if one is named, and load the model.

    Without a configuration every slate is the model's: no control, no exploration.

    Raises:
        ConfigError: The configuration cannot be used.
        ModelError: There is no usable model.
    """
    hold_back()
    if args.config is not None:
        config = load_config(args.config, os.environ).config
        directory: Path = args.model or config.model_dir or default_model_dir(args.chain or config.tenant)
        model = FlavourModel.load(directory)
    else:
        directory = args.model or default_model_dir(args.chain or DEFAULT_CHAIN)
        model = FlavourModel.load(directory)
        tenant = model.manifest.tenant
        config = EdgeConfig(tenant=tenant, store="trial", register="trial", arms=_NO_ARMS)
    slot = ModelSlot(FlavourModel.load, tenant=config.tenant)
    slot.put(model, directory)
    model.warm_up()
    return Setup(replace(config, model_dir=directory), slot, model)
