import hashlib
import hmac
from dataclasses import replace

import pytest

from edge_agent.errors import BadRequestError, UnknownFlavourError
from edge_agent.impression import SoldLine
from edge_agent.outcomes import (
    MAX_KEY_LENGTH,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_RECEIPT_ID_LENGTH,
    Sale,
    check_sale,
    content_digest,
    receipt_hmac,
)
from tests.builders.records import interaction_id, outcome

CATALOGUE = ("mango", "mint")
SALE = Sale("R-1", (SoldLine("mango", 1), SoldLine("mint", MAX_QUANTITY)))


def test_a_good_sale_passes() -> None:
    check_sale(SALE, "key", CATALOGUE)
    check_sale(replace(SALE, lines=(SoldLine("mango", 1),) * MAX_LINES), "k" * MAX_KEY_LENGTH, CATALOGUE)
    check_sale(replace(SALE, receipt_id="r" * MAX_RECEIPT_ID_LENGTH), "key", CATALOGUE)


@pytest.mark.parametrize(
    ("sale", "key", "message"),
    [
        (replace(SALE, lines=()), "key", "1 to 50 lines, this one has 0"),
        (replace(SALE, lines=(SoldLine("mango", 1),) * 51), "key", "this one has 51"),
        (replace(SALE, lines=(SoldLine("mango", 0),)), "key", "quantity 0 of 'mango'"),
        (replace(SALE, lines=(SoldLine("mango", 100),)), "key", "quantity 100"),
        (replace(SALE, lines=(SoldLine("mango", -1),)), "key", "quantity -1"),
        (replace(SALE, receipt_id=""), "key", "receipt_id must be 1 to 128"),
        (replace(SALE, receipt_id="r" * 129), "key", "not 129"),
        (replace(SALE, receipt_id="a\nb"), "key", "printable"),
        (SALE, "", "Idempotency-Key must be"),
        (SALE, "k" * 129, "Idempotency-Key must be"),
    ],
)
def test_an_impossible_sale_is_refused(sale: Sale, key: str, message: str) -> None:
    with pytest.raises(BadRequestError, match=message) as refusal:
        check_sale(sale, key, CATALOGUE)
    assert refusal.value.remedy


def test_an_unknown_flavour_is_refused() -> None:
    with pytest.raises(UnknownFlavourError, match="unknown flavour 'manga'"):
        check_sale(replace(SALE, lines=(SoldLine("manga", 1),)), "key", CATALOGUE)


def test_the_receipt_id_shows_nowhere() -> None:
    """Not in a repr, so not in a log or a traceback; a refusal does not repeat it either."""
    sale = Sale("secret-receipt", SALE.lines)
    assert "secret-receipt" not in repr(sale)
    with pytest.raises(BadRequestError) as refusal:
        check_sale(replace(sale, receipt_id="secret-receipt\n"), "key", CATALOGUE)
    assert "secret-receipt" not in str(refusal.value) + refusal.value.remedy


def test_the_hmac_is_keyed_by_the_register() -> None:
    key = bytes(range(32))
    assert receipt_hmac(key, "R-1") == hmac.new(key, b"R-1", hashlib.sha256).hexdigest()
    assert receipt_hmac(bytes(32), "R-1") != receipt_hmac(key, "R-1")
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        receipt_hmac(b"abc", "R-1")


def test_a_repetition_has_the_same_digest_and_nothing_else_has() -> None:
    first = outcome()
    assert content_digest(replace(first, at_ms=1, since_shown_ms=2)) == content_digest(first)
    others = [
        replace(first, interaction_id=interaction_id(1)),
        replace(first, receipt_hmac="00" * 32),
        replace(first, lines=first.lines[::-1]),
        replace(first, lines=first.lines[:1]),
    ]
    assert len({content_digest(one) for one in [first, *others]}) == 5
