"""The notice that a customer reads."""

import hashlib

import pytest

from edge_agent.uplink.notice import MAX_CHARACTERS, Notices

SHOP = {"purposes": ("training", "evaluation"), "valid_days": 180, "controller": "Sole {srl}"}


@pytest.mark.parametrize("language", ["en", "de", "it"])
def test_the_built_in_notices_say_what_why_how_long_and_who(language: str) -> None:
    """Nothing is left to be filled in, and the digest is of the text as shown."""
    notice = Notices.of(**SHOP).choose(language)
    assert notice.language == language
    assert "180" in notice.text
    assert "Sole {srl}" in notice.text
    assert "{purposes}" not in notice.text
    assert notice.sha256 == hashlib.sha256(notice.text.encode()).digest()


def test_a_language_is_found_by_its_region_or_replaced_by_english() -> None:
    """A customer from Vienna reads German; one from Kyoto English."""
    notices = Notices.of(**SHOP)
    assert notices.choose("de-AT").language == "de"
    assert notices.choose("ja").language == "en"
    assert notices.choose(None).language == "en"


def test_only_what_is_shown_here_can_be_agreed_to() -> None:
    """T6: a digest of another text, or of another language's text, is nobody's notice."""
    notices = Notices.of(**SHOP)
    german = notices.choose("de")
    assert notices.shown("de", german.sha256) == german
    assert notices.shown("en", german.sha256) is None
    assert notices.shown("de", bytes(32)) is None
    assert Notices.of(**(SHOP | {"valid_days": 181})).shown("de", german.sha256) is None


def test_own_texts_take_the_place_of_the_built_in_ones() -> None:
    """Braces of their own stay as they are."""
    notices = Notices.of(**SHOP, own={"fr": "{controller}, {valid_days} jours {x}"})
    assert notices.choose("de").text == "Sole {srl}, 180 jours {x}"
    for wrong in ("  ", "x" * (MAX_CHARACTERS + 1)):
        with pytest.raises(ValueError, match="fr"):
            Notices.of(**SHOP, own={"fr": wrong})
