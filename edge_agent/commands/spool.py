"""`topscoop edge spool status|retry|purge`: what waits for the cloud, and what a person may order about it.

A running agent is asked over its local API; the spool of one that stands still is opened.
"""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edge_agent.adapters.uplink.spool_door import SpoolDoor

_LANES: Final = ("withdrawals", "consents", "events", "frames")


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb with its three actions."""
    spool = verbs.add_parser(
        "spool",
        help="what waits for the cloud, and what became of the rest",
        description="Look at the messages that wait for the cloud's receipt. Run it as the agent's user.",
    )
    actions = spool.add_subparsers(title="commands", metavar="COMMAND", required=True)
    status = actions.add_parser("status", help="print every lane with its account")
    retry = actions.add_parser("retry", help="offer again what was set aside as undeliverable")
    purge = actions.add_parser("purge", help="drop what waits in one lane; nothing brings it back")
    purge.add_argument("lane", choices=_LANES, help="which lane")
    purge.add_argument("--only-set-aside", action="store_true", help="only what cannot be delivered")
    purge.add_argument("--yes", action="store_true", help="do not ask")
    for parser in (status, retry, purge):
        parser.add_argument("--config", metavar="FILE", help="configuration of the agent")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=run_status)
    retry.set_defaults(run=run_retry)
    purge.set_defaults(run=run_purge)


def run_status(args: argparse.Namespace) -> int:
    """Print the account of every lane."""
    from edge_agent.adapters.uplink.spool_table import table

    found = _door(args).status()
    if args.json:
        print(json.dumps(found))
        return 0
    print(table(found["lanes"]))
    print(f"{found['used_bytes'] / (1 << 20):.1f} MiB in use, {found['blanks']} consent blanks")
    if "connected" in found:
        print("The broker is connected." if found["connected"] else "The broker is not connected.")
    else:
        print("No agent runs here.")
    return 0


def run_retry(args: argparse.Namespace) -> int:
    """Offer again what was set aside."""
    return _told(args, {"messages": _door(args).retry()}, "offered again")


def run_purge(args: argparse.Namespace) -> int:
    """Drop a lane, after asking."""
    door = _door(args)
    if not args.yes:
        print(f"Drop what waits in the lane {args.lane}? Nothing brings it back. [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            print("Nothing was dropped.")
            return 1
    dropped = door.purge(args.lane, only_set_aside=args.only_set_aside)
    return _told(args, {"messages": dropped}, "dropped")


def _told(args: argparse.Namespace, answer: dict[str, Any], what: str) -> int:
    print(json.dumps(answer) if args.json else f"{answer['messages']} messages {what}.")
    return 0


def _door(args: argparse.Namespace) -> "SpoolDoor":
    from edge_agent.adapters.config_sources import load_config
    from edge_agent.adapters.uplink.spool_door import open_door

    return open_door(load_config(args.config, os.environ).config)
