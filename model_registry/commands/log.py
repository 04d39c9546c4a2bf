"""`topscoop model log`: what was released, withdrawn and changed, by whom and when."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from model_registry.commands.options import add_store, open_store


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "log",
        help="the history of a chain's releases",
        description="Every version of the signed metadata, and what it changed. Names are the signers' word.",
    )
    add_store(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from model_registry.releases.log import read_log

    log = read_log(open_store(args))
    if args.json:
        print(json.dumps(log))
        return 0
    for entry in [*log["roots"], *log["targets"]]:
        made = f", {entry['at']} by {entry['by']}" if entry.get("at") else ""
        note = "" if entry.get("published", True) else " (never published)"
        print(f"{entry['role']} {entry['version']}{made}{note}")
        for sentence in entry["changes"]:
            print(f"  {sentence}")
    if log["policy"] is None:
        print("now: UNREADABLE; registers take nothing new. docs/key-ceremony.md: the targets key is stolen")
    else:
        releases = ", ".join(map(str, log["releases"])) or "none"
        print(f"now: releases {releases}, minimum {log['policy']['minimum_release']}")
    for role, expires in log["expires"].items():
        print(f"  {role} is signed until {expires}")
    for role, keyids in log["keys"].items():
        print(f"  {role} keys: {', '.join(keyid[:16] + '…' for keyid in keyids)}")
    return 0
