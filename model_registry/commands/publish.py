"""`topscoop model publish`: bring a signed draft, or a model with all keys at hand, into the repository."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_registry.commands.options import add_keys, finish, publish_draft
from model_registry.commands.sign import add_release, release_draft


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "publish",
        help="publish a signed draft",
        description=(
            "Publish a signed draft with the online keys. With a model directory instead, --release, and all"
            " keys in --keys: sign and publish in one step. Run it again after it was cut off."
        ),
    )
    parser.add_argument("what", type=Path, metavar="DRAFT|MODEL", help="a draft, or a model directory")
    add_release(parser)
    add_keys(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Publish."""
    from model_registry.releases.draft import DRAFT_FILE, read_draft
    from wire_protocol.errors import OperatorError

    if args.store is None:
        raise OperatorError("where to?", remedy="Give --store: a folder, or s3://bucket.")
    if not (args.what / DRAFT_FILE).exists():
        args.out = None
        return finish(args, release_draft(args))
    draft = read_draft(args.what)
    args.chain = draft.chain
    published = publish_draft(args, draft)
    words = draft.words()
    if args.json:
        print(json.dumps({"chain": draft.chain, "changes": words, "published": published}))
        return 0
    for sentence in words:
        print(f"  {sentence}")
    print(f"{draft.chain}: published, targets {published['targets']}, signed until {published['expires']}")
    return 0
