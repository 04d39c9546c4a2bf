"""`topscoop client outcome REQUEST FLAVOUR[=QUANTITY]…`: what was bought."""

import argparse

from api_client.commands.at_chain import add_arguments, open_chain, plain, print_json
from wire_protocol.errors import OperatorError


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `outcome` to `topscoop client`."""
    parser = verbs.add_parser(
        "outcome",
        help="say what was bought",
        description="What was bought after a recommendation; how good recommendations are is measured by it.",
    )
    parser.add_argument("request", metavar="REQUEST", help="the recommendation's request id")
    parser.add_argument(
        "sold", nargs="+", metavar="FLAVOUR[=QUANTITY]", help="a flavour's id, and how many scoops"
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record it; the same again changes nothing."""
    lines: dict[str, int] = {}
    for word in args.sold:
        flavour, _, quantity = word.partition("=")
        if not flavour or not (quantity or "1").isdecimal():
            raise OperatorError(f"{word!r} is no sale", remedy="Write it as in pistachio or pistachio=2.")
        lines[flavour] = lines.get(flavour, 0) + int(quantity or 1)
    with open_chain(args) as chain:
        kept = chain.outcome(args.request, lines)
    if args.json:
        print_json(kept.to_dict())
    else:
        sold = ", ".join(f"{line.quantity} {plain(line.flavour)}" for line in kept.lines)
        print(f"recorded: {sold}")
    return 0
