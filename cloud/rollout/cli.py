"""`topscoop rollout …`: each verb is a module that imports the rest when it runs."""

import argparse
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no other name

_VERBS = (
    "cloud.rollout.commands.plan",
    "cloud.rollout.commands.listing",
    "cloud.rollout.commands.status",
    "cloud.rollout.commands.action",
    "cloud.rollout.commands.chain",
)
"""Modules with `add_parser(verbs)`, in the order of the help; light to import."""


def add_commands(subparsers: "SubParsers") -> None:
    """Add `rollout` and its verbs to the command line."""
    rollout = subparsers.add_parser(
        "rollout", help="bring a release to the registers, stage by stage, and back", description=__doc__
    )
    verbs = rollout.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _VERBS:
        importlib.import_module(name).add_parser(verbs)
