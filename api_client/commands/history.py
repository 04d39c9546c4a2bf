"""`topscoop client history`: one's own recommendations, newest first."""

import argparse
import itertools

from api_client.commands.at_chain import add_arguments, open_chain, print_json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `history` to `topscoop client`."""
    parser = verbs.add_parser("history", help="list your own recommendations", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them."""
    from api_client.commands.slates import as_row

    with open_chain(args) as chain:
        found = list(itertools.islice(chain.history(), max(0, args.limit)))
    if args.json:
        print_json([one.to_dict() for one in found])
        return 0
    for one in found:
        print(as_row(one))
    if not found:
        print("none yet: topscoop client recommend PHOTO --chain …")
    return 0
