"""The texts that people read before they say yes."""

import hashlib
from collections.abc import Mapping

import pytest

from wire_protocol.consent import Purpose
from wire_protocol.notices import AT_THE_TILL, FROM_A_PHONE, MAX_CHARACTERS, choose, fill

LANGUAGES = {"en", "de", "fr", "it", "es"}
PURPOSES = tuple(purpose.value for purpose in Purpose)


@pytest.mark.parametrize("texts", [AT_THE_TILL, FROM_A_PHONE], ids=["till", "phone"])
def test_every_built_in_notice_says_what_why_how_long_and_who(texts: Mapping[str, str]) -> None:
    """In five languages; nothing is left to be filled in, and the digest is of the text as shown."""
    assert set(texts) == LANGUAGES
    for language, text in texts.items():
        notice = fill(language, text, PURPOSES, 180, "Sole {srl}")
        assert "180" in notice.text
        assert "Sole {srl}" in notice.text
        assert "{purposes}" not in notice.text
        assert notice.sha256 == hashlib.sha256(notice.text.encode()).digest()


def test_no_two_notices_have_one_digest() -> None:
    """T6: who agreed to one text agreed to no other."""
    made = [
        fill(language, text, PURPOSES, days, "Gelato")
        for texts in (AT_THE_TILL, FROM_A_PHONE)
        for language, text in texts.items()
        for days in (30, 31)
    ]
    assert len({notice.sha256 for notice in made}) == len(made)


def test_a_language_is_found_by_its_region_or_replaced() -> None:
    """By English, or where there is none, by the first."""
    some = [fill(language, FROM_A_PHONE[language], PURPOSES, 9, "G") for language in ("de", "en", "fr")]
    assert choose(some, "fr-CH").language == "fr"
    assert choose(some, "ja").language == "en"
    assert choose(some[:1], None).language == "de"


def test_a_text_is_neither_empty_nor_endless() -> None:
    """It is refused, by its language."""
    for wrong in (" ", "x" * (MAX_CHARACTERS + 1)):
        with pytest.raises(ValueError, match="fr"):
            fill("fr", wrong, PURPOSES, 9, "G")
