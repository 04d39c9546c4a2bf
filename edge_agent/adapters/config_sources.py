"""Where the agent's configuration comes from: a TOML file, and above it the environment."""

from collections.abc import Mapping
from pathlib import Path

from daemon.settings_file import Loaded, load
from edge_agent.config import EdgeConfig
from edge_agent.config_settings import SAMPLE, SETTINGS

DEFAULT_FILE = Path("/etc/topscoop/edge.toml")

LoadedConfig = Loaded[EdgeConfig]


def load_config(file: Path | str | None, environment: Mapping[str, str]) -> LoadedConfig:
    """Read everything once.

    Args:
        file: The file named on the command line; None takes the system's, if there is one.
        environment: The process's variables; those without our prefix are ignored.

    Raises:
        ConfigError: The file cannot be read, or something in it or in the environment is wrong.
    """
    path = Path(file) if file is not None else DEFAULT_FILE if DEFAULT_FILE.exists() else None
    return load(SETTINGS, path, environment, SAMPLE)
