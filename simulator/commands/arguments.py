"""Arguments that several verbs share."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from wire_protocol.errors import OperatorError

if TYPE_CHECKING:
    from simulator.chains import Chain, Shop

    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it


def add_shop_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--chain`, `--shop` and `--seed`."""
    parser.add_argument("--chain", default="gelateria-sole", help="id of the chain (default: %(default)s)")
    parser.add_argument("--shop", help="id of the shop (default: the chain's first)")
    parser.add_argument(
        "--seed", type=int, default=1, help="same seed, same customers (default: %(default)s)"
    )


def chosen_shop(args: argparse.Namespace) -> "tuple[Chain, Shop]":
    """The chain and shop that were asked for.

    Raises:
        OperatorError: There is no such chain or shop.
    """
    from simulator.chains import CHAINS

    chain = CHAINS.get(args.chain)
    if chain is None:
        raise OperatorError(f"there is no chain {args.chain!r}", remedy=f"Choose one of {', '.join(CHAINS)}.")
    for shop in chain.shops:
        if args.shop in {None, shop.id}:
            return chain, shop
    raise OperatorError(
        f"{chain.name} has no shop {args.shop!r}",
        remedy=f"Choose one of {', '.join(shop.id for shop in chain.shops)}.",
    )


def number(
    kind: type[int] | type[float], *, low: float, high: float = float("inf")
) -> Callable[[str], int | float]:
    """An argparse type: a number of this kind between `low` and `high`, both included."""

    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
        # Written so that NaN is refused too.
        if not low <= value <= high:
            limits = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
            raise argparse.ArgumentTypeError(f"must be {limits}, not {text}")
        return value

    return parse
