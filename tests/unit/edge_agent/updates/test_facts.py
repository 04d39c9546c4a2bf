"""The durable facts."""

import json

import pytest

from edge_agent.updates import transitions
from edge_agent.updates.choice import previous
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
        ordered(good(1, 2), 9, 1),
    ],
    ids=["none", "good", "settings", "bad", "left"],
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


def former(facts: Facts) -> Facts:
    """As a version wrote them that did not note what was left."""
    value = json.loads(to_json(facts))
    for slot in value["slots"]:
        del slot["left_generation"]
    return from_json(json.dumps(value).encode())


def left(facts: Facts) -> dict[int, int | None]:
    return {one.release: one.left_generation for one in facts.slots}


def test_facts_of_a_version_that_did_not_note_what_was_left() -> None:
    """The newest order says it: what is newer than that was left; so does a person's return."""
    assert left(former(good(1, 2))) == {1: None, 2: None}
    assert left(former(ordered(good(1, 2, 3), 9, 2))) == {1: None, 2: None, 3: 9}
    assert left(former(ordered(good(1, 2), 9))) == {1: 9, 2: 9}
    facts = good(1, 2)
    assert left(former(transitions.returned(facts, previous(facts), NOW_MS))) == {1: None, 2: 2}


@pytest.mark.parametrize("value", [-1, "7", 1.5])
def test_a_note_of_what_was_left_is_a_generation(value: object) -> None:
    """As every count."""
    found = json.loads(to_json(good(1)))
    found["slots"][0]["left_generation"] = value
    with pytest.raises(ValueError, match="count"):
        from_json(json.dumps(found).encode())
