"""`topscoop edge …`: each verb is a module of `edge_agent.commands` that imports the rest when it runs."""

import argparse
from typing import TYPE_CHECKING

from edge_agent.commands import bench, config, doctor, enrol, model, replay, run, spool, update_client

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no other name

_VERBS = (run, enrol, spool, model, doctor, bench, replay, config, update_client)


def add_commands(subparsers: "SubParsers") -> None:
    """Add `edge` and its verbs to the command line."""
    edge = subparsers.add_parser(
        "edge", help="the agent on the register: run it, check it, measure it", description=__doc__
    )
    verbs = edge.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb in _VERBS:
        verb.add_parser(verbs)
