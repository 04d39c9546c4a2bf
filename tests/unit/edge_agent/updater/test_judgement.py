"""Which release signed metadata lets a register take."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from edge_agent.updater.judgement import check_not_older, judge, verified
from edge_agent.updater.ports import Signed
from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import Job
from tests.builders.tiny_model import build_manifest, build_onnx
from wire_protocol.fleet_messages import MetadataSeen, UpdateReason
from wire_protocol.release_metadata import (
    Listing,
    ReleasePolicy,
    ReleaseReport,
    ReleaseTarget,
    golden_path,
)

REPORT = ReleaseReport(100, 0.7, 0.5, 0.6, 0.1, 0.02, 0.2, 0.4, {"all": 1.0})


@lru_cache(maxsize=1)
def manifest() -> dict[str, Any]:
    return build_manifest(build_onnx())


def signed(*, policy: ReleasePolicy | None = None, **changed: Any) -> Signed:
    """Release 5 of gelateria-sole, its manifest changed."""
    value = manifest() | changed
    target = ReleaseTarget(5, json.dumps(value), REPORT, golden_path(5), "2026-11-22T00:00:00Z", "Ada")
    listing = Listing(policy or ReleasePolicy(), {5: target})
    return Signed(listing, {5: manifest()["model"]["sha256"]}, MetadataSeen(1, 1, 1, 1, 1, 0))


def job(**changed: Any) -> Job:
    values: dict[str, Any] = {"release": 5, "digest": manifest()["model"]["sha256"]}
    base = Job(b"x" * 16, "gelateria-sole", "1.2.3", "/r", "/m", "/s", "/l")
    return replace(base, **(values | changed))


def test_a_listed_release_is_taken() -> None:
    """Nothing speaks against it."""
    assert judge(signed(), job()).version == manifest()["version"]


@pytest.mark.parametrize("version", ["0.1.0", "0.1", "0.10.0", "1.0.0rc1", "0+checkout"])
def test_agents_that_are_new_enough(version: str) -> None:
    """Versions are compared as numbers; a source tree is the newest."""
    assert judge(signed(), job(agent_version=version))


@pytest.mark.parametrize(
    ("state", "wanted", "reason", "passing"),
    [
        (signed(policy=ReleasePolicy(withdrawn={5: "bad"})), job(), UpdateReason.WITHDRAWN, False),
        (signed(policy=ReleasePolicy(minimum_release=6)), job(), UpdateReason.BELOW_FLOOR, False),
        (signed(), job(floor=6), UpdateReason.BELOW_FLOOR, False),
        (signed(), job(release=6), UpdateReason.NOT_LISTED, True),
        (signed(), job(digest="0" * 64), UpdateReason.NOT_LISTED, False),
        (signed(tenant="yogurt-bar"), job(), UpdateReason.OTHER_CHAIN, False),
        (signed(minimum_agent="1.2.4"), job(), UpdateReason.AGENT_TOO_OLD, False),
        (signed(contract="topscoop.recommend/2"), job(), UpdateReason.WRONG_CONTRACT, False),
        (
            signed(model={**manifest()["model"], "sha256": "1" * 64}),
            job(),
            UpdateReason.WRONG_CONTRACT,
            False,
        ),
    ],
    ids=[
        "withdrawn",
        "below the minimum",
        "below the register's floor",
        "not listed yet",
        "other bytes",
        "other chain",
        "old agent",
        "unknown contract",
        "another network's manifest",
    ],
)
def test_what_is_not_taken(state: Signed, wanted: Job, reason: UpdateReason, passing: object) -> None:
    """T8, T10: each with its reason; only what may change by itself is tried again."""
    with pytest.raises(Refusal) as caught:
        judge(state, wanted)
    assert caught.value.reason is reason
    assert caught.value.passing is passing
    assert caught.value.remedy


def test_a_floor_that_sinks_is_a_rollback() -> None:
    """T8: the register's own floor, not python-tuf's cache, is what stays."""
    check_not_older(signed(policy=ReleasePolicy(minimum_release=5)), job(floor=5))
    with pytest.raises(Refusal) as caught:
        check_not_older(signed(policy=ReleasePolicy(minimum_release=4)), job(floor=5))
    assert caught.value.reason is UpdateReason.UNTRUSTED


@pytest.mark.parametrize(
    ("root", "targets", "taken"),
    [(2, 7, True), (2, 8, True), (3, 1, True), (2, 6, False), (1, 9, False)],
    ids=["the same", "newer", "a new root begins anew", "older targets", "an older root"],
)
def test_versions_do_not_go_back_under_one_root(root: int, targets: int, taken: bool) -> None:  # noqa: FBT001
    """T8: a withdrawal that was seen once is not taken back by older metadata, cached files or none."""
    shown = replace(signed(), metadata=MetadataSeen(root, 1, 1, targets, 1, 0))
    wanted = job(root_version=2, targets_version=7)
    if taken:
        check_not_older(shown, wanted)
        return
    with pytest.raises(Refusal) as caught:
        check_not_older(shown, wanted)
    assert (caught.value.reason, caught.value.passing) == (UpdateReason.UNTRUSTED, True)


def test_a_release_for_newer_agents_does_not_hide_the_others() -> None:
    """What this agent cannot read is listed all the same: its digest is signed apart from its manifest."""
    told = verified(signed(contract="topscoop.recommend/2", policy=ReleasePolicy(withdrawn={2: "bad"})))
    assert told.listing == {5: manifest()["model"]["sha256"]}
    assert told.withdrawn == (2,)
