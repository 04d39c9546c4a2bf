"""`topscoop sim register`: a whole simulated register, with an agent of its own."""

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
    """Add `register` to the verbs of `sim`."""
    parser = subparsers.add_parser(
        "register",
        help="a whole simulated register: agent, camera, till, customers",
        description="Starts an agent of its own, lets it enrol where it has not yet, and serves simulated "
        "customers, who are asked for consent. Started again on the same folder, it goes on.",
    )
    add_shop_arguments(parser)
    parser.add_argument("--register", help="the register's id (default: the shop's id and -1)")
    parser.add_argument(
        "--folder", type=Path, required=True, help="where its configuration, keys and records are kept"
    )
    parser.add_argument("--ring", type=Path, help="frame ring to create (default: below /dev/shm)")
    parser.add_argument("--model", type=Path, help="model directory (default: the chain's own)")
    parser.add_argument("--enrol-url", help="enrolment service; without it nothing is uploaded")
    parser.add_argument(
        "--code-file", type=Path, help="file with the one-time code; it is waited for while it is missing"
    )
    parser.add_argument(
        "--seconds", type=number(float, low=1), help="end after so many seconds (default: never)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve customers until the time is over or Ctrl-C."""
    from inference.default_models import default_model_dir
    from simulator.bank import CharacterBank
    from simulator.commands.demo import BANK_SEED, BANK_SIZE
    from simulator.register import SimulatedRegister, run_register
    from wire_protocol.errors import OperatorError

    if (args.enrol_url is None) != (args.code_file is None):
        raise OperatorError(
            "--enrol-url and --code-file belong together",
            remedy="Give both, or neither for a register that keeps to itself.",
        )
    chain, shop = chosen_shop(args)
    register = args.register or f"{shop.id}-1"
    options = SimulatedRegister(
        chain=chain,
        shop=shop,
        register=register,
        folder=args.folder.resolve(),
        ring=args.ring or Path("/dev/shm") / f"topscoop-{chain.tenant}-{register}.ring",  # noqa: S108 - memory, not a disk: pictures touch none
        model=args.model or default_model_dir(chain.tenant),
        enrol_url=args.enrol_url,
        code_file=args.code_file,
        seed=args.seed,
        seconds=args.seconds,
    )
    bank = CharacterBank.open(BANK_SIZE, BANK_SEED)
    live = asyncio.run(run_register(options, bank, lambda words: print(words, file=sys.stderr, flush=True)))
    for problem in live.errors:
        print(f"topscoop sim register: {problem}", file=sys.stderr)
    state = next(iter(live.registers.values()))
    result = {
        "interactions": live.interactions,
        "errors": live.error_count,
        "consented": state.consented,
        "withdrawn": state.withdrawn,
    }
    words = f"{live.interactions} customers, {state.consented} consented, {live.error_count} errors"
    print(json.dumps(result) if args.json else words)
    return 1 if live.error_count else 0
