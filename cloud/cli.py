"""`topscoop cloud …`: each verb is a module that imports the rest when it runs."""

import argparse
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no other name

_VERBS = (
    "cloud.commands.setup",
    "cloud.commands.config",
    "cloud.commands.tenant",
    "cloud.commands.register",
    "cloud.commands.enrolment",
    "cloud.commands.collector",
    "cloud.commands.keeper",
    "cloud.commands.intake",
    "cloud.commands.recommender",
    "cloud.commands.jobs",
    "cloud.commands.rollouts",
    "cloud.commands.store",
    "cloud.commands.group",
    "cloud.commands.files",
    "cloud.commands.releases",
    "cloud.commands.console",
    "cloud.commands.operator",
    "cloud.commands.api",
    "cloud.commands.openapi",
    "cloud.commands.identity",
    "cloud.commands.issuer",
    "cloud.commands.api_client",
    "cloud.commands.broker",
    "cloud.commands.pki",
    "cloud.commands.frames",
    "cloud.commands.withdraw",
    "cloud.commands.erase",
    "cloud.commands.backup",
    "cloud.commands.restore",
)
"""Modules with `add_parser(verbs)`, in the order of the help; light to import."""


def add_commands(subparsers: "SubParsers") -> None:
    """Add `cloud` and its verbs to the command line."""
    cloud = subparsers.add_parser(
        "cloud", help="the services behind the registers: set them up, run them", description=__doc__
    )
    verbs = cloud.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _VERBS:
        importlib.import_module(name).add_parser(verbs)
