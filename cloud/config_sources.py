"""Where the cloud's configuration comes from: a TOML file, and above it the environment."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from cloud.config import CloudConfig
from cloud.config_settings import SAMPLE, SETTINGS
from daemon.settings_file import Loaded, load

DEFAULT_FILE = Path("/etc/topscoop/cloud.toml")

LoadedConfig = Loaded[CloudConfig]


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add `--config` to a verb; `config_of` reads what it names."""
    parser.add_argument("--config", metavar="FILE", help=f"configuration (TOML); default: {DEFAULT_FILE}")


def config_of(args: argparse.Namespace) -> CloudConfig:
    """The configuration that a verb was told.

    Raises:
        ConfigError: As `load_config`.
    """
    return load_config(args.config, os.environ).config


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
