"""The proof of an erasure, and whose versions are whose."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.privacy.erasure_plan import Source, Withdrawal, proof_entry_id, proof_of, whose_versions

ROW = Withdrawal("nord", bytes(16), Source.CUSTOMER, 1000, 2000)
IDS = st.sampled_from([bytes(16), b"\1" * 16, b"\2" * 16])


def test_there_is_no_proof_before_the_end() -> None:
    for row in (ROW, Withdrawal("nord", bytes(16), Source.CUSTOMER, 1000, 2000, key_destroyed_at_ms=1)):
        assert not row.erased
        with pytest.raises(ValueError, match="not erased yet"):
            proof_of(row)


def test_one_erasure_has_one_entry_in_the_audit_log() -> None:
    """The id is a UUID version 7 that follows from tenant and consent."""
    later = Withdrawal("nord", bytes(16), Source.CUSTOMER, 1000, 2000, 5, 6, 7, 8)
    other = Withdrawal("sued", bytes(16), Source.CUSTOMER, 1000, 2000)
    assert proof_entry_id(ROW) == proof_entry_id(later) != proof_entry_id(other)
    assert uuid.UUID(bytes=proof_entry_id(ROW)).version == 7


@given(IDS, st.dictionaries(st.sampled_from("abcdef"), IDS), st.sets(st.sampled_from("abcdefgh")))
def test_versions_of_others_are_never_chosen(
    consent: bytes, rows: dict[str, bytes], listed: set[str]
) -> None:
    ours, unknown = whose_versions(consent, listed, rows)
    assert set(ours) == {version for version in listed if rows.get(version) == consent}
    assert set(unknown) == listed - rows.keys()
