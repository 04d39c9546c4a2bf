"""What needs attention."""

import shlex
from dataclasses import replace

import pytest

from cloud.console.views.attention import Facts, OpenRollout, attention, next_step
from cloud.rollout.values import State
from topscoop.cli import build_parser

NOW = 1_800_000_000_000
CALM = Facts(now_ms=NOW, enrolled=3, releases=1, trusted=True, metadata_expires_at_ms=NOW + 10 * 86_400_000)


def a_rollout(state: State, *, waits: bool = False, reason: str | None = None) -> OpenRollout:
    """Of release 7, in the second of three stages."""
    return OpenRollout(b"\1" * 16, 7, state, 1, 3, waits, reason)


def test_all_is_well() -> None:
    """Nothing is said where nothing is to do."""
    assert attention(CALM) == []
    assert next_step(CALM, "acme") is None


@pytest.mark.parametrize(
    ("change", "says", "kind", "href"),
    [
        ({"silent": 2}, "2 registers silent", "warn", "/fleet?attention=silent"),
        ({"certificates": 1}, "1 register whose certificate ends", "warn", "/fleet?attention=certificate"),
        ({"expired_certificates": 1}, "expired certificate", "bad", "/fleet?attention=certificate-expired"),
        ({"metadata_expires_at_ms": NOW + 86_400_000}, "expires in 1 day", "warn", "/releases"),
        ({"metadata_expires_at_ms": NOW - 7_200_000}, "expired 2 hours ago", "bad", "/releases"),
        ({"repository_problem": "no such folder"}, "no such folder", "bad", "/releases"),
        ({"refused_today": 12_000}, "12,000 messages refused today", "warn", "/frames#refused"),
        ({"set_aside": 1}, "1 message in quarantine", "bad", "/frames#quarantine"),
        (
            {"rollouts": (a_rollout(State.RUNNING, waits=True),)},
            "waits for a person",
            "warn",
            "/rollouts/" + "01" * 16,
        ),
        ({"rollouts": (a_rollout(State.RUNNING),)}, "stage 2 of 3", "info", "/rollouts/" + "01" * 16),
        ({"rollouts": (a_rollout(State.PAUSED),)}, "paused", "warn", "/rollouts/" + "01" * 16),
        (
            {"rollouts": (a_rollout(State.RETURNING, reason="it crashed"),)},
            "going back: it crashed",
            "bad",
            None,
        ),
        ({"unapproved": 1}, "1 planned rollout waits for a second person", "warn", "/rollouts"),
    ],
)
def test_each_trouble_has_its_sentence_and_its_link(
    change: dict[str, object], says: str, kind: str, href: str | None
) -> None:
    """What it is, how bad, and where to go."""
    (item,) = attention(replace(CALM, **change))  # type: ignore[arg-type]
    assert says in item.words
    assert item.kind == kind
    assert href is None or item.href == href


def test_the_worst_comes_first() -> None:
    """Quarantine before what merely runs."""
    facts = replace(CALM, silent=1, set_aside=1, rollouts=(a_rollout(State.RUNNING),))
    assert [item.kind for item in attention(facts)] == ["bad", "warn", "info"]


def test_a_fresh_chain_is_led_step_by_step() -> None:
    """Registers, then trust, then a release: one step at a time, with its command."""
    fresh = Facts(now_ms=NOW)
    steps = [
        next_step(fresh, "acme"),
        next_step(replace(fresh, invited=1), "acme"),
        next_step(replace(fresh, enrolled=1, trusted=True), "acme"),
    ]
    assert [step.title for step in steps if step] == [
        "No registers yet",
        "No trusted keys yet",
        "No releases yet",
    ]
    for step in steps:
        assert step
        build_parser(None).parse_args(shlex.split(step.command)[1:])  # such a command exists
    assert attention(fresh) == [], "what was never set up is no alarm"
