"""The configuration, as the agent would read it."""

import os

from daemon.errors import ConfigError
from edge_agent.adapters.config_sources import load_config
from edge_agent.checkup import Finding, Verdict
from edge_agent.config import EdgeConfig


def check_config(file: str | None) -> tuple[EdgeConfig | None, Finding]:
    """The configuration, or None with what is wrong with it."""
    try:
        loaded = load_config(file, os.environ)
    except ConfigError as error:
        return None, Finding("config", Verdict.FAILED, str(error), error.remedy)
    config = loaded.config
    place = loaded.file or "the environment"
    said = f"{place}: register {config.register} of store {config.store}, chain {config.tenant}"
    return config, Finding("config", Verdict.OK, said)
