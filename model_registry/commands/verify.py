"""`topscoop model verify`: see a repository as a register does, and check every file that it lists."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_registry.commands.options import add_store, open_store


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "verify",
        help="check a repository as a register would, and more",
        description=(
            "Verify signatures, expiry and versions with TUF's own client, every file's digest, that each"
            " network loads and answers its golden frames, and the OMS signatures."
        ),
    )
    add_store(parser)
    parser.add_argument(
        "--root", type=Path, required=True, metavar="JSON", help="the root that was handed over"
    )
    parser.add_argument("--no-models", action="store_true", help="do not run the networks")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Verify."""
    from model_registry.releases.verification import verify
    from wire_protocol.errors import OperatorError

    try:
        root = args.root.read_bytes()
    except OSError as error:
        raise OperatorError(
            f"cannot read {args.root}: {(error.strerror or str(error)).lower()}",
            remedy="Name the 1.root.json that was handed over when the repository was begun.",
        ) from error
    found = verify(open_store(args), root, models=not args.no_models)
    versions = {role: getattr(found, role) for role in ("root", "targets", "snapshot", "timestamp")}
    expires = f"{found.expires:%Y-%m-%dT%H:%M:%SZ}"
    if args.json:
        print(
            json.dumps(
                {
                    "chain": found.chain,
                    "versions": versions,
                    "expires": expires,
                    "releases": list(found.listing.releases),
                    "policy": found.listing.policy.to_value(),
                    "files": found.files,
                    "oms": list(found.oms),
                }
            )
        )
        return 0
    print(f"{found.chain}: signed, and not expired until {expires}")
    print(f"  {', '.join(f'{role} {version}' for role, version in versions.items())}")
    print(f"  {found.files} files have the digests that are signed")
    for release in found.listing.releases:
        oms = "OMS signature verified" if release in found.oms else "no OMS signature"
        print(f"  release {release}: {'not run' if args.no_models else 'answers its golden frames'}, {oms}")
    return 0
