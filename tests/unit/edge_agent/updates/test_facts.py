"""The durable facts."""

import json

import pytest

from edge_agent.updates import transitions
from edge_agent.updates.facts import Facts, from_json, to_json
from tests.builders.update_facts import NOW_MS, good, on_trial, ordered
from wire_protocol.fleet_messages import UpdateReason


@pytest.mark.parametrize(
    "facts",
    [
        Facts(),
        good(1, 2),
        ordered(good(4), 9, None, shadow=3, trial_ms=5000),
        transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "3 of 3: àèù", NOW_MS),
    ],
    ids=["none", "good", "settings", "bad"],
)
def test_facts_come_back_as_they_were(facts: Facts) -> None:
    """Through JSON and back, listing and verdicts included."""
    again = from_json(to_json(facts))
    assert again == facts
    if facts.listing is not None:
        assert again.listing is not None
        assert dict(again.listing.releases) == dict(facts.listing.releases)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\0" * 300, b"null", b"\xff\xfe", b'{"order": 1}'])
def test_other_bytes_are_no_facts(data: bytes) -> None:
    """Zeroed, cut off or foreign: one error."""
    with pytest.raises(ValueError):
        from_json(data)


@pytest.mark.parametrize("key", ["floor", "generation", "crashes"])
def test_a_count_is_a_count(key: str) -> None:
    """A floor that is no number would be no floor."""
    value = json.loads(to_json(good(1)))
    value[key] = "7"
    with pytest.raises(ValueError, match="count"):
        from_json(json.dumps(value).encode())
