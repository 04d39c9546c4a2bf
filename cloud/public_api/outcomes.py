"""What was bought, as a recommendation's row keeps it. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.public_api.problems import problem


@dataclass(frozen=True, slots=True)
class Line:
    """So many scoops of one flavour."""

    flavour: str
    quantity: int


def value(lines: Sequence[Line]) -> dict[str, Any]:
    """As the row has it."""
    return {"lines": [{"flavour": one.flavour, "quantity": one.quantity} for one in lines]}


def same(kept: Mapping[str, Any], lines: Sequence[Line]) -> bool:
    """Whether a row says what `lines` say: as many of each flavour, in whatever order and lines."""
    counted = Counter[str]()
    for one in kept["lines"]:
        counted[one["flavour"]] += one["quantity"]
    wanted = Counter[str]()
    for line in lines:
        wanted[line.flavour] += line.quantity
    return counted == wanted


def check_flavours(lines: Sequence[Line], known: Collection[str]) -> None:
    """Raises Problem `invalid`, with each line's place, where a flavour is none that the chain has."""
    wrong = [
        {"pointer": f"#/lines/{index}/flavour", "detail": "is no flavour of this chain; see /v1/menu"}
        for index, one in enumerate(lines)
        if one.flavour not in known
    ]
    if wrong:
        detail = "; ".join(f"{one['pointer']}: {one['detail']}" for one in wrong)
        raise problem("invalid", detail[:500], errors=wrong)
