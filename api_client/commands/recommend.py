"""`topscoop client recommend PHOTO`: three flavours from the chain's API."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api_client.commands.at_chain import add_arguments, number, open_chain, plain, print_json
from wire_protocol.errors import OperatorError

if TYPE_CHECKING:
    from api_client.chain import Chain
    from api_client.generated.models import Circumstances, ConsentGiven

_IMPROVE = "recommend_and_improve"


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `recommend` to `topscoop client`."""
    parser = verbs.add_parser(
        "recommend",
        help="three flavours for the people on a picture",
        description="Makes the picture small here (the original stays), sends it, and waits for the answer.",
    )
    parser.add_argument("photo", metavar="PHOTO", type=Path, help="JPEG, PNG or WebP of any size")
    add_arguments(parser)
    parser.add_argument(
        "--purpose",
        choices=("recommend", _IMPROVE),
        default="recommend",
        help="recommend: deleted once looked at; recommend_and_improve: kept, sealed, after a yes",
    )
    parser.add_argument("--language", metavar="CODE", help="of the notice, such as de")
    parser.add_argument(
        "--agreed", metavar="SHA256", help="the person has said yes to the notice of this digest: do not ask"
    )
    parser.add_argument("--hour", type=number, metavar="H", help="local time of day, 0 to 23.99")
    parser.add_argument("--weekday", type=int, metavar="D", help="0 for Monday to 6 for Sunday")
    parser.add_argument("--temperature", type=number, metavar="C", help="outside, in degrees Celsius")
    parser.add_argument("--shop", metavar="KIND", help="kind of shop, as the chain's model knows it")
    parser.add_argument(
        "--wait", type=number, default=60.0, metavar="S", help="seconds to wait (default: 60)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send the picture and print the slate."""
    from api_client.commands.slates import as_lines

    if args.agreed and args.purpose != _IMPROVE:
        raise OperatorError(
            "--agreed goes with --purpose recommend_and_improve alone", remedy="Leave one of the two out."
        )
    with open_chain(args) as chain:
        consent = _consent(args, chain) if args.purpose == _IMPROVE else None
        answer = chain.recommend(
            args.photo, purpose=args.purpose, consent=consent, context=_context(args), wait=args.wait
        )
    if args.json:
        print_json(answer.to_dict())
        return 0
    print(f"{args.photo}: three flavours")
    print("\n".join(as_lines(answer)))
    return 0


def _consent(args: argparse.Namespace, chain: "Chain") -> "ConsentGiven":
    from api_client.generated.models import ConsentGiven

    notice = chain.notice(args.language)
    if args.agreed is None:
        if not sys.stdin.isatty():
            raise OperatorError(
                "nobody is here to say yes to the notice",
                remedy="Ask the person; then name what they agreed to: --agreed SHA256 (of GET /v1/notice).",
            )
        print("\n".join(plain(line) for line in notice.text.splitlines()), file=sys.stderr)
        print("Does the person on the picture agree? [yes/no] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != "yes":
            raise OperatorError("without a yes nothing is sent", remedy="Use --purpose recommend.")
    elif args.agreed.lower() != notice.sha256:
        raise OperatorError(
            f"the chain's notice in {plain(notice.language)} is another one now",
            remedy=f"Show it and ask again; its digest is {plain(notice.sha256)}.",
        )
    return ConsentGiven(notice=notice.sha256, language=notice.language, agreed=True)


def _context(args: argparse.Namespace) -> "Circumstances":
    from api_client.generated.models import Circumstances
    from api_client.generated.types import UNSET

    found = Circumstances()
    found.hour = UNSET if args.hour is None else args.hour
    found.weekday = UNSET if args.weekday is None else args.weekday
    found.temperature_c = UNSET if args.temperature is None else args.temperature
    found.shop = UNSET if args.shop is None else args.shop
    return found
