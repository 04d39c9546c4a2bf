"""`topscoop client export`: everything that is kept of you, as JSON."""

import argparse
import json
from pathlib import Path

from api_client.commands.at_chain import add_arguments, open_chain, print_json
from wire_protocol.errors import OperatorError


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to `topscoop client`."""
    parser = verbs.add_parser("export", help="get everything that is kept of you", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help="write it there; it must not exist yet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write it."""
    with open_chain(args) as chain:
        everything = chain.export()
    if args.to is None:
        print_json(everything)
        return 0
    try:
        with args.to.open("x", encoding="utf-8") as file:
            json.dump(everything, file, ensure_ascii=False, indent=1)
    except OSError as error:
        raise OperatorError(
            f"cannot write {args.to}: {error.strerror}", remedy="Name another file."
        ) from error
    if args.json:
        print_json({"written": str(args.to)})
    else:
        print(f"written to {args.to}")
    return 0
