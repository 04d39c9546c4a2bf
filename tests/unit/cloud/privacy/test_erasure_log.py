"""The erasure log: the same entry is the same object, and nothing else is read as one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.privacy.erasure_log import LogEntry, entry_bytes, entry_key, log_prefix, parse_entry

ENTRY = LogEntry("nord", "0f" * 16, "customer", 1_795_000_000_000)
ENTRIES = st.builds(
    LogEntry,
    tenant=st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True),
    consent=st.binary(min_size=16, max_size=16).map(bytes.hex),
    source=st.sampled_from(["register", "operator", "customer", "retention"]),
    received_at_ms=st.integers(0, 4_000_000_000_000),
)


@given(ENTRIES)
def test_an_entry_comes_back_and_lies_under_its_tenant(entry: LogEntry) -> None:
    assert parse_entry(entry_bytes(entry)) == entry
    assert entry_key(entry).startswith(log_prefix(entry.tenant))


def test_the_key_names_tenant_month_and_consent() -> None:
    assert entry_key(ENTRY) == f"erasure-log/nord/2026/11/{'0f' * 16}.json"


@pytest.mark.parametrize(
    "changed",
    [
        {"consent": "0f"},
        {"consent": "not hexadecimal digits at all"},
        {"received_at_ms": "today"},
        {"name": "somebody"},
        {"tenant": None},
    ],
)
def test_what_is_no_entry_is_refused(changed: dict[str, object]) -> None:
    """A restore that would forget an erasure stops instead; and nothing personal can stand in an entry."""
    with pytest.raises(ValueError):
        parse_entry(json.dumps(json.loads(entry_bytes(ENTRY)) | changed).encode())
    with pytest.raises(ValueError):
        parse_entry(entry_bytes(ENTRY)[:-5])
