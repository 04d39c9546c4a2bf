"""`topscoop model renew`: sign snapshot and timestamp again before they expire."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_registry.commands.options import add_place, now, online_signers, open_store

if TYPE_CHECKING:
    from model_registry.releases.ports import ReleaseStore


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "renew",
        help="sign snapshot and timestamp again before they expire",
        description="Renew what the online keys sign, where it is due; with --every, for as long as it runs.",
    )
    add_place(parser)
    parser.add_argument(
        "--chain",
        action="append",
        required=True,
        dest="chains",
        metavar="CHAIN",
        help="the tenant; repeatable",
    )
    parser.add_argument(
        "--keys", type=Path, required=True, metavar="DIR", help="folder of snapshot.pem and timestamp.pem"
    )
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="holds the keys' passphrase")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="stay, and look that often")
    parser.add_argument("--force", action="store_true", help="sign both again, due or not")
    parser.add_argument("--json", action="store_true", help="print each renewal as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def run(args: argparse.Namespace) -> int:
    """Renew once, or until SIGTERM."""
    from model_registry.errors import ChangedMeanwhile, NoRepository, RepositoryBroken, StoreAway
    from wire_protocol.errors import OperatorError

    if args.every is not None and not args.every >= 1:
        raise OperatorError(f"--every {args.every} is too often", remedy="3600 is often enough.")
    signers = online_signers(args)  # the passphrase is asked for once
    stores = {chain: open_store(args, chain) for chain in args.chains}
    if args.every is None:
        for chain, store in stores.items():
            _renew(args, chain, store, signers)
        return 0
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        for chain, store in stores.items():
            try:
                _renew(args, chain, store, signers)
            except (StoreAway, ChangedMeanwhile, NoRepository, RepositoryBroken) as error:
                # Six days are left at least: whoever watches the log, or the console's expiry, has time.
                print(f"{chain}: not renewed: {error}", file=sys.stderr, flush=True)
        args.force = False
        stop.wait(args.every)
    return 0


def _renew(args: argparse.Namespace, chain: str, store: ReleaseStore, signers: list[Any]) -> None:
    from model_registry.releases.publication import renew

    done = renew(store, signers, now=now(), force=args.force)
    if done is None:
        if args.every is None:
            result = {"chain": chain, "renewed": False}
            print(json.dumps(result) if args.json else f"{chain}: nothing is due")
        return
    expires = f"{done.expires:%Y-%m-%dT%H:%M:%SZ}"
    if args.json:
        result = {
            "chain": chain,
            "renewed": True,
            "snapshot": done.snapshot,
            "timestamp": done.timestamp,
            "expires": expires,
        }
        print(json.dumps(result), flush=True)
    else:
        print(f"{chain}: timestamp {done.timestamp}, snapshot {done.snapshot}, until {expires}", flush=True)
