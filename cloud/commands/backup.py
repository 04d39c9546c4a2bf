"""`topscoop cloud backup`: an online copy of everything but consent keys."""

import argparse
import json
from pathlib import Path


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `backup` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "backup",
        help="copy database, certificates and service keys to a new folder; services go on",
        description="Copy the rows of one instant, certificates, service keys to a new folder. Consent keys"
        " are never in it, so that no backup can undo an erasure; frames stay in S3. The folder holds private"
        " keys: encrypt it, and keep it no longer than 35 days, which is what proofs of erasure promise.",
    )
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="is not there yet")
    parser.add_argument(
        "--with-master-key", action="store_true", help="also copy the master key's file (development)"
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the backup; progress goes to standard error."""
    import sys

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.operations.backup import back_up

    manifest = back_up(
        config_of(args),
        args.to,
        now_ms(),
        with_master_key=args.with_master_key,
        progress=lambda name: print(f"  {name} …", file=sys.stderr, flush=True),
    )
    rows = sum(manifest.rows.values())
    if args.json:
        print(
            json.dumps(
                {
                    "folder": str(args.to),
                    "made_at_ms": manifest.made_at_ms,
                    "revision": manifest.revision,
                    "rows": dict(manifest.rows),
                    "files": len(manifest.files),
                    "master_key": manifest.master_key,
                }
            )
        )
    else:
        print(f"{args.to}: {rows} rows of {len(manifest.rows)} tables, {len(manifest.files)} files")
    return 0
