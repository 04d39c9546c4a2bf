"""`topscoop model keys make|show`: the keys of a chain's release repository."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROLES = ("root", "targets", "snapshot", "timestamp", "model-signing")
_NEXT = {
    "root": "keep it offline, each of the three with another person",
    "targets": "keep it offline: it signs what may run",
    "snapshot": "it belongs to the machine that publishes",
    "timestamp": "it belongs to the machine that publishes",
    "model-signing": "keep it beside the targets key: it signs models for those who verify without Topscoop",
}


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    keys = verbs.add_parser("keys", help="make keys, or show which they are").add_subparsers(
        required=True, metavar="VERB"
    )
    make = keys.add_parser("make", help="make a key", description="Make a key; its public half is FILE.pub.")
    make.add_argument("role", nargs="?", choices=ROLES, help="what it is for")
    make.add_argument("--out", type=Path, metavar="FILE", help="the private key to write, such as root-1.pem")
    make.add_argument("--passphrase-file", type=Path, metavar="FILE", help="holds it; else it is asked for")
    make.add_argument(
        "--development", action="store_true", help="all keys at once, not encrypted: never for a real chain"
    )
    make.add_argument("--folder", type=Path, metavar="DIR", help="where --development writes them")
    make.add_argument("--json", action="store_true", help="print the result as one JSON object")
    make.set_defaults(run=run_make)
    yield make
    show = keys.add_parser("show", help="the ids of public keys", description="The ids of public keys.")
    show.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a .pub file")
    show.add_argument("--json", action="store_true", help="print the result as one JSON object")
    show.set_defaults(run=run_show)
    yield show


def run_make(args: argparse.Namespace) -> int:
    """Make one key, or a folder of development keys."""
    from model_registry.adapters.key_files import make_key, public_file
    from model_registry.commands.options import passphrases
    from wire_protocol.errors import OperatorError

    if args.development:
        if args.role or args.out or not args.folder:
            raise OperatorError("--development makes all keys", remedy="Give --folder, no role and no --out.")
        made = make_development_keys(args.folder)
        print(json.dumps(made) if args.json else f"{args.folder}: {len(made)} development keys")
        return 0
    if not args.role or not args.out:
        raise OperatorError(
            "which key, and where to?", remedy="topscoop model keys make root --out root-1.pem"
        )
    keyid = make_key(args.out, args.role, passphrases(args))
    if args.json:
        print(json.dumps({"role": args.role, "file": str(args.out), "keyid": keyid}))
    else:
        print(f"{args.out}: {args.role} key {keyid}")
        print(f"  {_NEXT[args.role]}; hand over {public_file(args.out)}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print each public key's id."""
    from model_registry.adapters.key_files import load_public

    found = {str(path): load_public(path).keyid for path in args.files}
    if args.json:
        print(json.dumps(found))
    else:
        for path, keyid in found.items():
            print(f"{keyid}  {path}")
    return 0


def make_development_keys(folder: Path) -> dict[str, str]:
    """Every key that a repository needs, in one folder, each where it is missing; file -> key id."""
    from model_registry.adapters.key_files import load_public, make_key, public_file, warn_of_development_keys
    from model_registry.commands.options import DEVELOPMENT_MARK
    from wire_protocol.errors import OperatorError

    if folder.exists() and any(folder.iterdir()) and not (folder / DEVELOPMENT_MARK).exists():
        raise OperatorError(f"{folder} holds something else", remedy="Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / DEVELOPMENT_MARK).write_text(
        "These keys are of no worth. Never use them for a real chain.\n", "utf-8"
    )
    made = {}
    for name in ("root-1", "root-2", "root-3", *ROLES[1:]):
        path = folder / f"{name}.pem"
        if path.exists():
            made[path.name] = load_public(public_file(path)).keyid
        else:
            made[path.name] = make_key(
                path, name.removesuffix("-1").removesuffix("-2").removesuffix("-3"), None
            )
    warn_of_development_keys(folder)
    return made
