"""`topscoop model service-keys`: sign the public keys of the cloud's services for a chain."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_registry.commands.options import add_change
from model_registry.commands.targets_change import change_targets


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "service-keys",
        help="sign the cloud's service keys for a chain",
        description="Sign the keys that `topscoop cloud tenant show CHAIN --json` prints, as a target.",
    )
    parser.add_argument("document", type=Path, metavar="JSON|-", help="what that command printed")
    add_change(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Publish them."""
    from model_registry.releases.service_keys import service_keys_file
    from wire_protocol.errors import OperatorError

    try:
        data = sys.stdin.buffer.read() if str(args.document) == "-" else args.document.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"cannot read {args.document}: {(error.strerror or str(error)).lower()}",
            remedy=f"topscoop cloud tenant show {args.chain} --json > FILE",
        ) from error
    document = service_keys_file(data, args.chain)
    return change_targets(args, lambda editor: editor.set_service_keys(document))
