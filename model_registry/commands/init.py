"""`topscoop model init --development`: a chain's repository with keys of no worth, in one command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_registry.commands.options import add_store, open_store, publish_draft, sign_draft


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "init",
        help="a development repository in one command",
        description=(
            "Make all keys, unencrypted and in one folder, and an empty repository. For demos and tests only;"
            " a real chain begins with the ceremony of docs/key-ceremony.md. What is there stays."
        ),
    )
    add_store(parser)
    parser.add_argument("--keys", type=Path, required=True, metavar="DIR", help="where the keys are written")
    parser.add_argument(
        "--development", action="store_true", required=True, help="yes, these keys are of no worth"
    )
    parser.add_argument("--no-model-signing", action="store_true", help="no key for OMS signatures")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run, key=[], passphrase_file=None, yes=True, by="development", out=None)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Make it."""
    from model_registry.adapters.key_files import public_file
    from model_registry.commands.keys import make_development_keys
    from model_registry.commands.root import first_draft
    from model_registry.releases.state import TIMESTAMP, versioned

    made = make_development_keys(args.keys)
    store = open_store(args)
    fresh = TIMESTAMP not in store.names("metadata")
    if fresh:
        public = {name: public_file(args.keys / name) for name in made}
        roles = {
            role: [path for name, path in public.items() if name.startswith(role)]
            for role in ("root", "targets", "snapshot", "timestamp")
        }
        oms = None if args.no_model_signing else public["model-signing.pem"]
        draft = first_draft(args, roles, oms, threshold=2)
        sign_draft(args, draft, draft.words())
        publish_draft(args, draft)
    path = args.keys / f"{args.chain}.root.json"
    path.write_bytes(store.get(versioned("root", 1)))
    if args.json:
        print(json.dumps({"chain": args.chain, "made": fresh, "root": str(path), "keys": made}))
    else:
        print(f"{args.chain}: a development repository {'is made' if fresh else 'was there'}")
        print(f"  next: topscoop cloud tenant trust {args.chain} {path}")
    return 0
