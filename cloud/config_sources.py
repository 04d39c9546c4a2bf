"""Where the configuration comes from: a TOML file, and above it the environment."""

import argparse
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud.config import CloudConfig
from cloud.config_keys import KEYS, Given, flatten, from_environment, parse
from cloud.errors import ConfigError

DEFAULT_FILE = Path("/etc/topscoop/cloud.toml")
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The configuration, and where each of its values was given."""

    config: CloudConfig
    file: Path | None
    origins: Mapping[str, str]
    """By path; `default` where nobody gave a value."""


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
    given = {} if path is None else _resolved(flatten(_read(path), str(path)), path.parent)
    given |= from_environment(environment)
    config = parse(given)
    origins = {key: given[key].origin if key in given else "default" for key in KEYS}
    return LoadedConfig(config, path, origins)


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}",
            remedy="Name the configuration with --config; deploy/cloud.toml is a commented sample.",
        ) from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than 1 MiB", remedy="Check that this is the configuration.")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: not TOML: {error}", remedy="Correct that line; texts stand in quotation marks."
        ) from error


def _resolved(given: Mapping[str, Given], folder: Path) -> dict[str, Given]:
    """Relative paths in a file are relative to that file, wherever the service was started."""
    return {
        path: Given(str(folder.resolve() / one.value), one.origin)
        if path in KEYS and KEYS[path].kind is Path and isinstance(one.value, str) and one.value
        else one
        for path, one in given.items()
    }
