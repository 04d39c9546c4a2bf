"""Where a configuration comes from: a TOML file, and above it the environment."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from daemon.errors import ConfigError
from daemon.settings import Given, Settings

C = TypeVar("C")

_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """The configuration, and where each of its values was given."""

    config: C
    file: Path | None
    origins: Mapping[str, str]
    """By path; `default` where nobody gave a value."""


def load(settings: Settings[C], file: Path | None, environment: Mapping[str, str], sample: str) -> Loaded[C]:
    """Read everything once.

    Args:
        settings: What is read.
        file: The file; None where there is none.
        environment: The process's variables; those without our prefix are ignored.
        sample: The commented sample's name, for who has no file.

    Raises:
        ConfigError: The file cannot be read, or something in it or in the environment is wrong.
    """
    given = {} if file is None else _resolved(settings, _read(file, sample), file)
    given |= settings.from_environment(environment)
    config = settings.parse(given)
    origins = {key: given[key].origin if key in given else "default" for key in settings.keys}
    return Loaded(config, file, origins)


def _read(path: Path, sample: str) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}",
            remedy=f"Name the configuration with --config; {sample} is a commented sample.",
        ) from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than 1 MiB", remedy="Check that this is the configuration.")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: not TOML: {error}", remedy="Correct that line; texts stand in quotation marks."
        ) from error


def _resolved(settings: Settings[C], table: Mapping[str, object], file: Path) -> dict[str, Given]:
    """Relative paths in a file are relative to that file, wherever the process was started."""
    folder, keys = file.parent.resolve(), settings.keys
    return {
        path: Given(str(folder / one.value), one.origin)
        if path in keys and keys[path].kind is Path and isinstance(one.value, str) and one.value
        else one
        for path, one in settings.flatten(table, str(file)).items()
    }
