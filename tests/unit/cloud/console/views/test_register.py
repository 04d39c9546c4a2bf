"""One register, in words."""

import pytest

from cloud.console.views.register import (
    MEMBER_WORDS,
    Membership,
    metadata_facts,
    named_labels,
    progress,
    reported_facts,
    shadow_facts,
)
from cloud.rollout.values import MemberState, State


def _update(**values: object) -> dict[str, object]:
    usual = {"release": 8, "at": 1, "fetched_bytes": 0, "total_bytes": 0, "reason": None, "words": None}
    return {"update": usual | values}


@pytest.mark.parametrize(
    ("update", "steps", "kind"),
    [
        ({"state": "fetching", "fetched_bytes": 5, "total_bytes": 10}, "now ahead ahead ahead", "info"),
        ({"state": "preflight"}, "done now ahead ahead", "info"),
        ({"state": "trial"}, "done done now ahead", "info"),
        ({"state": "good"}, "done done done done", "good"),
        ({"state": "bad", "reason": "crashed"}, "done done failed ahead", "bad"),
        ({"state": "refused", "reason": "untrusted"}, "failed ahead ahead ahead", "bad"),
        ({"state": "refused", "fetched_bytes": 9, "total_bytes": 9}, "done failed ahead ahead", "bad"),
        ({"state": "waiting", "reason": "no-room"}, "now ahead ahead ahead", "warn"),
    ],
    ids=lambda value: value["state"] if isinstance(value, dict) else "",
)
def test_an_update_is_somewhere_on_its_way(update: dict[str, object], steps: str, kind: str) -> None:
    found = progress(_update(**update))
    assert found is not None
    assert " ".join(step.state for step in found.steps) == steps
    assert found.kind == kind
    if update.get("reason"):
        assert ": " in found.words


@pytest.mark.parametrize(
    "report", [{}, {"update": None}, _update(state="idle"), _update(state="of a newer version")]
)
def test_without_an_update_nothing_is_told(report: dict[str, object]) -> None:
    assert progress(report) is None


def test_without_a_report_nothing_is_made_up() -> None:
    """No evidence is no figure: neither zero nor good."""
    assert shadow_facts({}) == metadata_facts({}) == reported_facts({}) == []
    assert shadow_facts(
        {"shadow": {"release": 8, "compared": 0, "same_first": 0, "same_three": 0, "p99_ms": 1, "errors": 0}}
    )[2] == ("Same first flavour", "nothing compared yet")


def test_flavours_have_names_where_they_are_known() -> None:
    assert named_labels([1, 5, 5], ["Vanilla", "Lemon"]) == [("Lemon", 5), ("flavour 3", 5), ("Vanilla", 1)]


def test_every_state_of_a_member_has_words() -> None:
    assert set(MEMBER_WORDS) == set(MemberState)


@pytest.mark.parametrize("state", State)
def test_a_register_that_was_not_told_waits_only_while_it_may_be(state: State) -> None:
    """After the rollout was stopped its page says that it was never told."""
    member = Membership(b"r" * 16, 3, state, 1, MemberState.WAITING, None, 0, None)
    stopped = state in {State.RETURNING, State.RETURNED}
    assert member.words[0] == ("never told" if stopped else "waits for its stage")
