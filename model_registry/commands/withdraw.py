"""`topscoop model withdraw`: take a release back, for good."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from model_registry.commands.options import add_change
from model_registry.commands.targets_change import change_targets


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "withdraw",
        help="take a release back, for good",
        description="Take a release back: registers that run it go back to the one before.",
    )
    parser.add_argument("release", type=int, metavar="N", help="its number")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="one sentence; every register reads it"
    )
    add_change(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Withdraw."""
    return change_targets(args, lambda editor: editor.withdraw(args.release, args.reason))
