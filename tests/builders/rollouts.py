"""Rollouts, members and evidence for tests of pure rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloud.rollout.values import (
    Evidence,
    Gates,
    Member,
    MemberState,
    Plan,
    Rollout,
    Stage,
    State,
    Surroundings,
)
from wire_protocol.fleet_messages import UpdateState

NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000
NEW, OLD = 7, 6
DIGEST, OLD_DIGEST = "7" * 64, "6" * 64
BEFORE = {"confidence": (100.0,) * 10, "labels": (400.0, 300.0, 200.0, 100.0)}
PLAN = Plan(
    stages=(Stage("first", count=2, hold_s=60), Stage("all", share=1.0, hold_s=60)),
    gates=Gates(minimum_recommendations=100),
)


def running(**changes: Any) -> Rollout:
    """A rollout in its first stage."""
    usual = Rollout(
        tenant="nord",
        rollout=b"r" * 16,
        revision=3,
        release=NEW,
        digest=DIGEST,
        budget_p99_ms=10.0,
        previous=OLD,
        state=State.RUNNING,
        stage=0,
        plan=PLAN,
        baseline=BEFORE,
        reason=None,
        created_by="anna",
        approved_by=None,
        created_at_ms=NOW_MS - 100 * MINUTE_MS,
        started_at_ms=NOW_MS - 90 * MINUTE_MS,
        stage_at_ms=NOW_MS - 90 * MINUTE_MS,
    )
    return replace(usual, **changes)


def told(register: str = "till-1", *, minutes: int = 10, **changes: Any) -> Member:
    """A member that was told so many minutes ago."""
    at_ms = NOW_MS - minutes * MINUTE_MS
    usual = Member(register, "harbour", 0, MemberState.TOLD, OLD, 5, at_ms, at_ms)
    return replace(usual, **changes)


def good(register: str = "till-1", **changes: Any) -> Evidence:
    """What a register says that runs the release well and has answered a hundred times."""
    usual = Evidence(
        register,
        online=True,
        since_ms=NOW_MS - 1000 * MINUTE_MS,
        heard_at_ms=NOW_MS - 1000,
        generation=5,
        running_digest=DIGEST,
        running_release=NEW,
        desired_release=NEW,
        update_release=NEW,
        update_state=UpdateState.GOOD,
        recommendations=100,
        p99_ms=3.1,
        confidence=(10,) * 10,
        labels=(40, 30, 20, 10),
    )
    return replace(usual, **changes)


def around(**changes: Any) -> Surroundings:
    """Now, with both releases listed."""
    return replace(Surroundings(NOW_MS, frozenset({OLD, NEW})), **changes)
