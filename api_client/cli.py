"""`topscoop client …`: a chain's public API from the command line."""

import argparse
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no other name

_VERBS = (
    "api_client.commands.recommend",
    "api_client.commands.login",
    "api_client.commands.logout",
    "api_client.commands.outcome",
    "api_client.commands.history",
    "api_client.commands.export",
    "api_client.commands.erase",
)
"""Modules with `add_parser(verbs)`, in the order of the help; light to import."""


def add_commands(subparsers: "SubParsers") -> None:
    """Add `client` and its verbs to the command line."""
    client = subparsers.add_parser(
        "client", help="a chain's public API: three flavours for a picture", description=__doc__
    )
    verbs = client.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _VERBS:
        importlib.import_module(name).add_parser(verbs)
