"""Arguments that several verbs share."""

import argparse
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


def at_least(low: float, kind: type[int] | type[float]) -> "_AtLeast":
    """An argparse type: a number of this kind, not below `low`."""
    return _AtLeast(low, kind)


class _AtLeast:
    def __init__(self, low: float, kind: type[int] | type[float]) -> None:
        self._low = low
        self._kind = kind

    def __call__(self, text: str) -> float:
        try:
            value = self._kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
        # Written so that NaN is refused too.
        if not value >= self._low:
            raise argparse.ArgumentTypeError(f"must be at least {self._low:g}, not {text}")
        return value
