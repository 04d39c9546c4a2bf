"""`topscoop sim shop`: customers and a till for one agent that runs already."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import add_shop_arguments, chosen_shop, number

if TYPE_CHECKING:
    from simulator.commands.arguments import SubParsers


def add_parser(subparsers: "SubParsers") -> None:
    """Add `shop` to the verbs of `sim`."""
    parser = subparsers.add_parser(
        "shop",
        help="customers and a till for one running agent",
        description="Renders customers into a frame ring and serves them through a running agent. Start the "
        "agent with the camera `synthetic:RING`; it waits for the ring.",
    )
    parser.add_argument("--url", required=True, help="the agent's local API, such as http://127.0.0.1:8710")
    parser.add_argument("--token-file", type=Path, required=True, help="`pairing-token` in its data folder")
    parser.add_argument("--ring", type=Path, required=True, help="frame ring to create; best below /dev/shm")
    add_shop_arguments(parser)
    parser.add_argument(
        "--seconds", type=number(float, low=1), help="end after so many seconds (default: never)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve customers until the time is over or Ctrl-C."""
    from simulator.bank import CharacterBank
    from simulator.commands.demo import BANK_SEED, BANK_SIZE
    from simulator.demo.one_shop import OneShop, serve_one_shop
    from wire_protocol.errors import OperatorError

    chain, shop = chosen_shop(args)
    try:
        token = args.token_file.read_text().strip()
    except OSError as error:
        raise OperatorError(
            f"the pairing token cannot be read: {error}",
            remedy="Give the file `pairing-token` of the agent's data folder, as its user.",
        ) from error
    bank = CharacterBank.open(BANK_SIZE, BANK_SEED)
    options = OneShop(chain, shop, args.url.rstrip("/"), token, args.ring, args.seed, args.seconds)
    live = asyncio.run(serve_one_shop(options, bank))
    for problem in live.errors:
        print(f"topscoop sim shop: {problem}", file=sys.stderr)
    result = {"interactions": live.interactions, "errors": live.error_count}
    words = f"{live.interactions} customers were asked for, {live.error_count} errors"
    print(json.dumps(result) if args.json else words)
    return 1 if live.error_count else 0
