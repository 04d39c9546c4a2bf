"""`topscoop demo`: two chains, six registers, real agents, one live page."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import number

if TYPE_CHECKING:
    from simulator.commands.arguments import SubParsers
    from simulator.demo.composition import DemoOptions, DemoResult, Ready

BANK_SIZE = 160
BANK_SEED = 2026
"""Fixed, whatever `--seed` says: the bank is rendered once and cached."""
CHECK_SECONDS = 30.0


def add_parser(subparsers: "SubParsers") -> None:
    """Add `demo` to the command line."""
    parser = subparsers.add_parser(
        "demo",
        help="simulated shops around real edge agents, and one page that shows them live",
        description="Two chains of simulated shops around real edge agents, and one page that shows them "
        "live. Everything stays on this machine; Ctrl-C ends it and leaves nothing behind.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="run without anybody looking, print the result as one JSON line, fail if anything is wrong",
    )
    parser.add_argument(
        "--seconds",
        type=number(float, low=1),
        help=f"end after so many seconds (default: never; with --check {CHECK_SECONDS:g})",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="same seed, same customers (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=number(int, low=0, high=65_535),
        default=0,
        help="port of the page (default: any free one)",
    )
    parser.add_argument(
        "--registers", type=int, choices=(1, 2, 3, 4), default=3, help="per chain (default: %(default)s)"
    )
    parser.add_argument(
        "--models",
        type=Path,
        help="folder with one model directory per chain (default: those that come with Topscoop)",
    )
    parser.add_argument(
        "--no-cloud",
        action="store_true",
        help="the agents alone: nobody enrols, no customer is asked for consent, nothing is sent",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print addresses and result as JSON lines; words go to standard error",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when it ended as it should."""
    from inference.default_models import default_model_dir
    from simulator.bank import CharacterBank
    from simulator.chains import CHAINS
    from simulator.demo.composition import DemoOptions, run_demo

    seconds = args.seconds or (CHECK_SECONDS if args.check else None)
    options = DemoOptions(
        models={
            tenant: args.models / tenant if args.models else default_model_dir(tenant) for tenant in CHAINS
        },
        seconds=seconds,
        seed=args.seed,
        port=args.port,
        registers=args.registers,
        check=args.check,
        cloud=not args.no_cloud,
    )
    _say(f"Topscoop demo: {len(CHAINS)} chains with {args.registers} registers each")
    bank = CharacterBank.open(BANK_SIZE, BANK_SEED)
    result = asyncio.run(
        run_demo(options, bank, _say, lambda ready: _announce(ready, options, as_json=args.json))
    )
    return _conclude(result, as_json=args.check or args.json)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _announce(ready: "Ready", options: "DemoOptions", *, as_json: bool) -> None:
    """Tell where everything is to be seen."""
    _say(f"ready after {ready.started_in_s:.1f} s")
    if as_json:
        displays = {info.id: f"{info.url}/display" for info in ready.registers}
        console = {} if ready.console is None else {"console": ready.console}
        phones = {"try": dict(ready.phones)} if ready.phones else {}
        print(json.dumps({"page": ready.page, "displays": displays, **console, **phones}), flush=True)
        return
    print(f"\nWatch all shops live:  {ready.page}\n")
    if ready.console is not None:
        print(f"The operators' console, in a moment:  {ready.console}  (log in as anna, the admin)\n")
    if ready.phones:
        print("The chains' pages for phones, in a moment; your camera stays on this machine:")
        for url in ready.phones.values():
            print(f"  {url}")
        print()
    print("What the customer sees at each register:")
    for info in ready.registers:
        print(f"  {info.chain.name}, {info.shop_name} ({info.shop.kind})".ljust(42), f"{info.url}/display")
    ends = (
        "Ctrl-C ends" if options.seconds is None else f"After {options.seconds:g} seconds, or Ctrl-C, it ends"
    )
    print(
        f"\nEverything stays on this machine. {ends} it and removes everything.".replace(
            "it ends it", "it ends"
        )
    )
    print(flush=True)


def _conclude(result: "DemoResult", *, as_json: bool) -> int:
    """Print the result; 1 when anything was wrong."""
    for reason in result.reasons:
        _say(f"topscoop demo: {reason}")
    if as_json:
        print(json.dumps(result.summary), flush=True)
    else:
        hits = result.summary["hit_at_3"]
        _say(f"{result.summary['interactions']} customers were asked for, {result.summary['errors']} errors.")
        if hits["model"] is not None:
            _say(
                f"Expected hits among three: model {hits['model']:.1%}, "
                f"best-sellers {hits['bestsellers']:.1%}, best possible {hits['bayes']:.1%}."
            )
    return 1 if result.reasons else 0
