"""What the till says was bought, checked; its receipt id is replaced by an HMAC at once."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from edge_agent.errors import BadRequestError
from edge_agent.impression import Outcome, SoldLine
from edge_agent.menu import check_flavours

MAX_LINES = 50
MAX_QUANTITY = 99
MAX_RECEIPT_ID_LENGTH = 128
MAX_KEY_LENGTH = 128
RECEIPT_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sale:
    """What the till reports; `receipt_id` stays inside the agent and is never recorded."""

    receipt_id: str
    lines: tuple[SoldLine, ...]

    def __repr__(self) -> str:
        """Without the receipt id, which must not reach a log."""
        return f"Sale(lines={self.lines!r})"


def check_sale(sale: Sale, idempotency_key: str, catalogue: Sequence[str]) -> None:
    """Refuse what cannot have been sold.

    Raises:
        BadRequestError: A quantity, the number of lines, the receipt id or the key is out of its bounds.
        UnknownFlavourError: A line names a flavour that the catalogue lacks.
    """
    _check_text("Idempotency-Key", idempotency_key, MAX_KEY_LENGTH)
    _check_text("receipt_id", sale.receipt_id, MAX_RECEIPT_ID_LENGTH)
    if not 1 <= len(sale.lines) <= MAX_LINES:
        raise BadRequestError(
            f"a sale has 1 to {MAX_LINES} lines, this one has {len(sale.lines)}",
            remedy="Send one line per flavour, with its quantity; split what is longer.",
        )
    for line in sale.lines:
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise BadRequestError(
                f"quantity {line.quantity} of {line.flavour!r:.70} is not between 1 and {MAX_QUANTITY}",
                remedy="Leave out what was not bought; split larger quantities into several lines.",
            )
    check_flavours({line.flavour for line in sale.lines}, catalogue)


def _check_text(what: str, text: str, longest: int) -> None:
    if not (1 <= len(text) <= longest and text.isprintable()):
        raise BadRequestError(
            f"{what} must be 1 to {longest} printable characters, not {len(text)}",
            remedy=f"Send a {what} that is unique for this receipt, such as a UUID or the receipt's number.",
        )


def receipt_hmac(key: bytes, receipt_id: str) -> str:
    """HMAC-SHA-256 of the till's receipt id, in hex: joins a sale to the till's books for who has the key.

    Raises:
        ValueError: The key has another length than `RECEIPT_KEY_BYTES`.
    """
    if len(key) != RECEIPT_KEY_BYTES:
        raise ValueError(f"the register's receipt key has {RECEIPT_KEY_BYTES} bytes, not {len(key)}")
    return hmac.new(key, receipt_id.encode(), hashlib.sha256).hexdigest()


def content_digest(outcome: Outcome) -> bytes:
    """SHA-256 of what a repetition must have in common: all but the time."""
    interaction_id: UUID | None = outcome.interaction_id
    content = [
        str(interaction_id) if interaction_id else None,
        outcome.receipt_hmac,
        [[line.flavour, line.quantity] for line in outcome.lines],
    ]
    return hashlib.sha256(json.dumps(content).encode()).digest()
