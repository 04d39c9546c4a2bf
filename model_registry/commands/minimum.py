"""`topscoop model minimum`: let no register go below a release any more."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from model_registry.commands.options import add_change
from model_registry.commands.targets_change import change_targets


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "minimum",
        help="let no register go below a release any more",
        description=(
            "Raise the minimum release. It never sinks; from the first on, registers no longer fall back"
            " to the model that they were installed with."
        ),
    )
    parser.add_argument("release", type=int, metavar="N", help="a listed release")
    add_change(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Raise it."""
    return change_targets(args, lambda editor: editor.set_minimum(args.release))
