"""What all verbs share: which chain, whom to trust, and how results are printed."""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api_client.chain import Chain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--chain`, `--base-url`, `--ca`, `--json`."""
    parser.add_argument(
        "--chain",
        required=True,
        metavar="URL",
        help="the chain's address; its name, with --base-url or once logged in",
    )
    parser.add_argument(
        "--base-url", metavar="PATTERN", help="all chains' addresses: https://{tenant}.example"
    )
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="trust this authority alone (PEM); remembered at login"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def number(text: str) -> float:
    """A finite number, for argparse."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def open_chain(args: argparse.Namespace) -> "Chain":
    """The chain that the arguments mean.

    Raises:
        OperatorError: They mean none.
    """
    from api_client.chain import Chain
    from api_client.logins import LoginFiles

    logins = LoginFiles.default()
    chain = args.chain
    if "://" not in chain and args.base_url is None:
        # A name is enough where it can only mean one of the places that somebody logged in at.
        known = logins.named(chain)
        chain = known[0] if len(known) == 1 else chain
    return Chain(chain, base_url=args.base_url, ca=args.ca, logins=logins)


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """For programs."""
    print(json.dumps(document, ensure_ascii=False, indent=1))


def plain(text: object) -> str:
    """Words of a server on one line; they cannot move the terminal's cursor."""
    return "".join(one if one.isprintable() else " " for one in str(text))
