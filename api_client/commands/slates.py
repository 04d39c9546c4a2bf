"""Recommendations in words. Pure."""

from typing import TYPE_CHECKING

from api_client.commands.at_chain import plain

if TYPE_CHECKING:
    from api_client.generated.models import RecommendationAnswer


def as_lines(answer: "RecommendationAnswer") -> list[str]:
    """One flavour a line, best first, and what recommended them."""
    lines = []
    for number, offer in enumerate(answer.slate, start=1):
        chance = "" if offer.probability is None else f"{offer.probability:6.1%}"
        lines.append(f"  {number}  {plain(offer.name):<24} {chance}".rstrip())
    if answer.source == "bestsellers":
        lines.append("  these are the best-sellers: the picture did not decide")
    lines.append(f"  request {plain(answer.request_id)}")
    return lines


def as_row(answer: "RecommendationAnswer") -> str:
    """One line of a list."""
    names = ", ".join(plain(offer.name) for offer in answer.slate)
    bought = ""
    if answer.outcome is not None:
        sold = (f"{line.quantity} {plain(line.flavour)}" for line in answer.outcome.lines)
        bought = f"  bought: {', '.join(sold)}"
    return f"{plain(answer.created_at)}  {plain(answer.request_id)}  {names}{bought}"
