"""Entries of the log of people's erasures."""

import pytest

from cloud.privacy.person_log import PersonEntry, entry_bytes, entry_key, parse_entry, person_digest

PERSON = PersonEntry("gelato", "0" * 32, 1_795_000_000_000, person=person_digest("gelato", b"\1" * 32))
UPLOAD = PersonEntry("gelato", "0" * 32, 1_795_000_000_000, upload="a" * 32)


@pytest.mark.parametrize("entry", [PERSON, UPLOAD])
def test_an_entry_is_read_as_it_was_written(entry: PersonEntry) -> None:
    """And its name begins with the chain, and has no person in it."""
    assert parse_entry(entry_bytes(entry)) == entry
    assert entry_key(entry) == f"erasure-log-people/gelato/2026/11/{'0' * 32}.json"


def test_one_person_has_another_digest_in_each_chain() -> None:
    """Logs of two chains cannot be laid beside each other."""
    assert person_digest("gelato", b"\1" * 32) != person_digest("sorbet", b"\1" * 32)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"no",
        entry_bytes(PersonEntry("gelato", "0" * 32, 1)),
        entry_bytes(PersonEntry("gelato", "0" * 32, 1, person="a" * 64, upload="a" * 32)),
        entry_bytes(PersonEntry("gelato", "xyz", 1, upload="a" * 32)),
        entry_bytes(PersonEntry("gelato", "0" * 32, 1, upload="a" * 30)),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """T25: an erasure that cannot be read must not be passed over."""
    with pytest.raises(ValueError):
        parse_entry(data)
