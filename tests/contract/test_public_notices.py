"""The notices of the public API, on SQLite and on PostgreSQL."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.database.engine import Database
from cloud.public_api.adapters.notices import (
    STILL_AGREED_MS,
    add_own,
    agree,
    known_notices,
    notice_for,
    read_notices,
    text_of,
)
from cloud.public_api.problems import Problem
from tests.builders.cloud_database import (
    NOW_MS,
    add_tenants,
    postgres_service,
    some_tenant,
    sqlite_database,
)

DAY_MS = 86_400_000
CHAIN = some_tenant("gelato")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgres":
        made = postgres_service(request.getfixturevalue("postgres_database"))
    else:
        made = sqlite_database(tmp_path)
    add_tenants(made, "gelato", "sorbet")
    yield made
    made.close()


def test_a_yes_keeps_the_text_and_lasts_as_long_as_the_text_says(database: Database) -> None:
    """The built-in text of the chain's name and days; a digest of another chain's, or language's, is none."""
    with database.tenant("gelato") as connection:
        shown = notice_for(connection, "gelato", "de-AT")
        assert "Gelato" in shown.text
        assert text_of(connection, "gelato", shown.sha256) is None
        yes = agree(connection, "gelato", "de", shown.sha256, NOW_MS)
        assert yes == {
            "purposes": ["training", "evaluation"],
            "notice": hashlib.sha256(shown.text.encode()).hexdigest(),
            "language": "de",
            "method": "touch",
            "granted_at_ms": NOW_MS,
            "expires_at_ms": NOW_MS + CHAIN.retention_days * DAY_MS,
        }
        agree(connection, "gelato", "de", shown.sha256, NOW_MS + 1)
        assert text_of(connection, "gelato", shown.sha256) == shown.text
        assert notice_for(connection, "gelato", "de") == shown
        with pytest.raises(Problem, match="notice-unknown"):
            agree(connection, "gelato", "en", shown.sha256, NOW_MS)
    with database.tenant("sorbet") as connection, pytest.raises(Problem, match="notice-unknown"):
        agree(connection, "sorbet", "de", shown.sha256, NOW_MS)


def test_a_text_that_was_replaced_stays_known_and_is_agreed_to_for_a_day_more(database: Database) -> None:
    """Who reads an old page answers that page; what was agreed to can be shown for ever."""
    with database.tenant("gelato") as connection:
        first = add_own(connection, CHAIN, "de", "Darf {controller} das Bild behalten?", NOW_MS)
        second = add_own(connection, CHAIN, "de", "Darf {controller} es {valid_days} Tage?", NOW_MS + 1)
        assert first.text == "Darf Gelato das Bild behalten?"
        assert notice_for(connection, "gelato", "de") == second
        assert {one.language for one in read_notices(connection, "gelato")} == {"de", "en", "es", "fr", "it"}
        replaced = NOW_MS + 1
        agree(connection, "gelato", "de", first.sha256, replaced + STILL_AGREED_MS)
        with pytest.raises(Problem, match="notice-unknown"):
            agree(connection, "gelato", "de", first.sha256, replaced + STILL_AGREED_MS + 1)
        assert text_of(connection, "gelato", first.sha256) == first.text
        assert [one.notice for one in known_notices(connection, "gelato")] == [second, first]
        add_own(connection, CHAIN, "de", "Darf {controller} das Bild behalten?", NOW_MS + 2)
        assert notice_for(connection, "gelato", "de") == first
