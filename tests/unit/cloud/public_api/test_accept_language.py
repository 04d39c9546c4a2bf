"""Which language a client is answered in."""

import pytest

from cloud.public_api.accept_language import preferred

THERE = {"en", "de", "fr", "pt-br"}


@pytest.mark.parametrize(
    ("asked", "header", "chosen"),
    [
        ("de", None, "de"),
        ("de-AT", "fr", "de"),
        ("xx", "fr", "fr"),
        (None, "it, fr;q=0.5, de;q=0.9", "de"),
        (None, "pt-BR", "pt-br"),
        (None, "fr;q=0", None),
        (None, "fr;q=high, de;q=0.1", "de"),
        (None, "it", None),
        (None, "*", None),
        (None, "", None),
        ("", None, None),
        (None, ";;,,q=1", None),
        (None, ",".join(["it"] * 20 + ["de"]), None),
    ],
)
def test_the_most_wanted_language_that_there_is(
    asked: str | None, header: str | None, chosen: str | None
) -> None:
    """By name first, then by weight; a regional one falls back to its main language; junk is not wanted."""
    assert preferred(asked, header, THERE) == chosen
