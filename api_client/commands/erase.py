"""`topscoop client erase`: everything that is kept of you, gone, with a proof."""

import argparse
import sys

from api_client.commands.at_chain import add_arguments, open_chain, plain, print_json
from wire_protocol.errors import OperatorError


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `erase` to `topscoop client`."""
    parser = verbs.add_parser(
        "erase",
        help="erase everything that is kept of you",
        description="Uploads, recommendations, consents with their pictures, and your logins at this chain. "
        "With --proof it says how far an erasure is.",
    )
    add_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--proof", metavar="PROOF", help="of an erasure that was asked for; needs no login")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, erase, and print the proof."""
    if args.proof is not None:
        return _progress(args)
    with open_chain(args) as chain:
        if not args.yes:
            _ask(chain.origin)
        proof = chain.erase()
    if args.json:
        print_json(proof.to_dict())
        return 0
    print(f"erased; the proof is {plain(proof.proof)}")
    print("  Keep it: it names nobody, and it is all that is left.")
    print(f"  next: topscoop client erase --chain {args.chain} --proof {plain(proof.proof)}")
    return 0


def _progress(args: argparse.Namespace) -> int:
    with open_chain(args) as chain:
        found = chain.erasure(args.proof)
    if args.json:
        print_json(found.to_dict())
        return 0
    print(f"{plain(found.state)}; asked for at {plain(found.asked_at)}")
    for words, instant in (
        ("no kept picture opens since", found.nobody_opens_since),
        ("no copy on a running system since", found.online_copies_gone),
        ("nor in a backup, by", found.last_backup_gone),
    ):
        if instant is not None:
            print(f"  {words} {plain(instant)}")
    return 0


def _ask(origin: str) -> None:
    if not sys.stdin.isatty():
        raise OperatorError("nobody is here to confirm", remedy="Say --yes if you mean it.")
    print(f"Erase everything that is kept of you at {origin}? [yes/no] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise OperatorError("nothing was erased", remedy="Answer yes if you mean it.")
