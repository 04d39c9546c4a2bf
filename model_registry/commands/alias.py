"""`topscoop model alias`: say which release is the champion, or the candidate."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from model_registry.commands.options import add_change
from model_registry.commands.targets_change import change_targets

ALIASES = ("champion", "candidate")


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "alias",
        help="point champion or candidate to a release",
        description="Point an alias to a release. Which register runs what, rollouts decide.",
    )
    parser.add_argument("alias", choices=ALIASES, help="which alias")
    parser.add_argument("release", metavar="N|none", help="a listed release, or none")
    add_change(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Point it."""
    from wire_protocol.errors import OperatorError

    if args.release != "none" and not (args.release.isascii() and args.release.isdigit()):
        raise OperatorError(f"{args.release!r} is no release", remedy="Give its number, or none.")
    release = None if args.release == "none" else int(args.release)
    return change_targets(args, lambda editor: editor.set_alias(args.alias, release))
