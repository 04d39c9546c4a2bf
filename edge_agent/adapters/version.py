"""The version of this installation."""

from importlib.metadata import PackageNotFoundError, version


def agent_version() -> str:
    """Of the installed distribution; a source tree that nobody installed has none."""
    try:
        return version("topscoop")
    except PackageNotFoundError:
        return "0+checkout"
