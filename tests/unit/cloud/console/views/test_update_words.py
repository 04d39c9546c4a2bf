"""What an update is called."""

import dataclasses

import pytest

from cloud.console.views.update_words import (
    REASON_WORDS,
    UPDATE_WORDS,
    ModelFacts,
    model_verdict,
    reason_words,
)
from wire_protocol.fleet_messages import UpdateReason, UpdateState

_FACTS = ModelFacts(
    attested=True,
    running_digest="7" * 64,
    desired_known=True,
    desired_release=8,
    desired_digest="8" * 64,
    update_release=None,
    update_state=None,
    update_reason=None,
)


def test_every_state_and_reason_has_words() -> None:
    """The list is closed: a reason that is new on the wire fails here, not on the page."""
    assert set(UPDATE_WORDS) == set(UpdateState)
    assert set(REASON_WORDS) == set(UpdateReason)
    assert reason_words("too-slow") == "too slow on this till"
    assert reason_words("of a newer version") == "of a newer version"


@pytest.mark.parametrize(
    ("change", "words", "kind"),
    [
        ({}, "release 8 desired", "warn"),
        ({"running_digest": "8" * 64}, "as desired", "good"),
        ({"running_digest": "8" * 64, "update_release": 8, "update_state": "trial"}, "on trial", "info"),
        ({"update_release": 8, "update_state": "fetching"}, "release 8 fetching", "info"),
        ({"update_release": 7, "update_state": "bad"}, "release 8 desired", "warn"),
        (
            {"update_release": 8, "update_state": "refused", "update_reason": "too-slow"},
            "release 8 refused: too slow on this till",
            "bad",
        ),
        ({"update_release": 8, "update_state": "of a newer version"}, "release 8 desired", "warn"),
        ({"attested": False, "running_digest": None}, "release 8 desired", "warn"),
        ({"desired_release": None, "desired_digest": None}, "as installed", "quiet"),
        ({"desired_known": False}, "nothing desired", "quiet"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_what_runs_stands_beside_what_is_desired(change: dict[str, object], words: str, kind: str) -> None:
    """Attested by digest: a register that only says so is not `as desired`."""
    assert model_verdict(dataclasses.replace(_FACTS, **change)) == (words, kind)  # type: ignore[arg-type]
