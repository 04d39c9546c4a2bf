"""Which language a page has."""

from __future__ import annotations

import pytest

from cloud.public_api.pages.languages import choose_language, filled


@pytest.mark.parametrize(
    ("asked", "kept", "accept", "language"),
    [
        (None, None, None, "en"),
        (None, None, "de-AT,en;q=0.5", "de"),
        (None, None, "pt-BR,pt;q=0.9,fr;q=0.4,it;q=0.8", "it"),
        (None, "es", "de", "es"),
        ("fr", "es", "de", "fr"),
        ("tlh", "", "de", "de"),
        ("../../etc", "<b>", "*;q=x,,;", "en"),
        (None, None, "de;q=0,fr", "fr"),
    ],
)
def test_the_language_is_what_was_asked_kept_or_preferred(
    asked: str | None, kept: str | None, accept: str | None, language: str
) -> None:
    """The address comes first, then the choice, then the browser; English where none of them is spoken."""
    assert choose_language(asked, kept, accept) == language


def test_values_are_filled_in_once() -> None:
    """What a value holds is no text of ours: its braces stay."""
    assert filled("Continue with {provider}!", {"provider": "{chain}"}) == "Continue with {chain}!"
    with pytest.raises(KeyError):
        filled("{unknown}", {})
