"""What is signed about releases: read strictly, written so that it reads the same."""

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.release_metadata import (
    BadReleaseMetadata,
    ReleasePolicy,
    ReleaseReport,
    ReleaseTarget,
    RootNote,
    golden_path,
    model_path,
    read_listing,
    release_of_path,
)

REPORT = ReleaseReport(
    orders=3601,
    hit_at_3=0.7115,
    best_sellers=0.54,
    context_only=0.572,
    int8_loss_points=-0.00995,
    calibration_error=0.0069,
    p50_ms=0.2519,
    p99_ms=0.3236,
    unchanged={"all": 0.95533, "skin": 1.0},
)
TARGET = ReleaseTarget(7, '{"contract": 1}', REPORT, golden_path(7), "2026-11-22T09:00:00Z", "Ada")
shares = st.floats(0, 1)


@given(st.lists(shares, min_size=4, max_size=4), st.floats(-100, 100), st.floats(0, 1000))
def test_a_report_reads_as_it_was_written(found: list[float], loss: float, p99: float) -> None:
    report = ReleaseReport(1, *found[:3], loss, found[3], p99 / 2, p99, {"all": found[0]})
    assert ReleaseReport.from_value(report.to_value()) == report


@given(
    st.integers(0, 50),
    st.dictionaries(st.integers(1, 40), st.text("abc ", min_size=1, max_size=20), max_size=4),
)
def test_a_policy_reads_as_it_was_written(minimum: int, withdrawn: dict[int, str]) -> None:
    policy = ReleasePolicy(minimum, withdrawn, champion=60, candidate=None)
    assert ReleasePolicy.from_value(policy.to_value()) == policy


def test_a_release_reads_as_it_was_written() -> None:
    assert ReleaseTarget.from_value(TARGET.to_value()) == TARGET


def test_nothing_that_is_signed_holds_a_float() -> None:
    """TUF's canonical JSON has none: they would be refused when they are signed."""

    def floats(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        return isinstance(value, float)

    assert not floats(TARGET.to_value())
    assert not floats(ReleasePolicy(3, {1: "worse"}, 4).to_value())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), "topscoop.release/2"),
        (("release",), 0),
        (("release",), True),
        (("release",), "7"),
        (("golden",), "releases/8/golden.cbor"),
        (("published",), "2026-11-22T09:00:00+01:00"),
        (("published",), "yesterday"),
        (("signer",), "a\nb"),
        (("manifest",), ""),
        (("manifest",), "x" * 70_000),
        (("report", "hit_at_3"), 0.7),
        (("report", "hit_at_3"), "NaN"),
        (("report", "hit_at_3"), "1.1"),
        (("report", "hit_at_3"), "1e-1"),
        (("report", "orders"), 0),
        (("report", "unchanged"), {}),
        (("report", "unchanged"), {"Skin": "1"}),
        (("report", "unchanged"), [1]),
        (("report", "more"), 1),
        (("more",), 1),
    ],
    ids=str,
)
def test_a_release_that_says_something_else_is_refused(place: tuple[str, ...], value: Any) -> None:
    custom = copy.deepcopy(TARGET.to_value())
    inner = custom["topscoop"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(BadReleaseMetadata, match=place[-1] if place[-1] != "more" else "unknown"):
        ReleaseTarget.from_value(custom)


@pytest.mark.parametrize("key", ["format", "release", "manifest", "report", "golden", "published", "signer"])
def test_a_release_that_leaves_something_out_is_refused(key: str) -> None:
    custom = TARGET.to_value()
    del custom["topscoop"][key]
    with pytest.raises(BadReleaseMetadata, match="missing"):
        ReleaseTarget.from_value(custom)


@pytest.mark.parametrize(
    "changed",
    [
        {"minimum_release": -1},
        {"minimum_release": None},
        {"minimum_release": 1.0},
        {"withdrawn": {"05": "x"}},
        {"withdrawn": {"5": ""}},
        {"withdrawn": {"5": None}},
        {"withdrawn": None},
        {"champion": 0},
        {"champion": "5"},
        {"champion": 5, "withdrawn": {"5": "worse"}},
        {"candidate": 2, "minimum_release": 3},
        {"stop": True},
    ],
    ids=str,
)
def test_a_policy_that_says_something_else_is_refused(changed: dict[str, Any]) -> None:
    """Fail closed: an unparsable policy allows nothing."""
    with pytest.raises(BadReleaseMetadata):
        ReleasePolicy.from_value({**ReleasePolicy().to_value(), **changed})


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"chain": "Sole", "model_signing_key": None},
        {"chain": "sole"},
        {"chain": "sole", "model_signing_key": 1},
        {"chain": "sole", "model_signing_key": None, "more": 1},
    ],
    ids=["none", "empty", "name", "half", "number", "more"],
)
def test_a_root_that_says_something_else_is_refused(value: Any) -> None:
    with pytest.raises(BadReleaseMetadata):
        RootNote.from_value(value)


@pytest.mark.parametrize("key", [None, "PEM"])
def test_a_root_reads_as_it_was_written(key: str | None) -> None:
    assert RootNote.from_value(RootNote("sole", key).to_value()) == RootNote("sole", key)


def test_a_missing_policy_is_refused() -> None:
    with pytest.raises(BadReleaseMetadata):
        read_listing(None, {})


def _customs(**changed: Any) -> dict[str, Any]:
    return {model_path(7): TARGET.to_value(), golden_path(7): None, "service-keys.json": None, **changed}


def test_a_listing_has_the_releases_that_may_run() -> None:
    listing = read_listing(ReleasePolicy(7, {5: "worse"}).to_value(), _customs())
    assert dict(listing.releases) == {7: TARGET}
    assert listing.may_run(7)
    assert not listing.may_run(5)
    assert not listing.may_run(8)


def test_a_release_below_the_minimum_may_not_run() -> None:
    assert not read_listing(ReleasePolicy(8).to_value(), _customs()).may_run(7)


def test_a_release_under_another_number_is_refused() -> None:
    customs = {model_path(8): TARGET.to_value(), golden_path(7): None}
    with pytest.raises(BadReleaseMetadata, match="contradicts"):
        read_listing(ReleasePolicy().to_value(), customs)


def test_a_release_without_golden_frames_is_refused() -> None:
    with pytest.raises(BadReleaseMetadata, match="contradicts"):
        read_listing(ReleasePolicy().to_value(), {model_path(7): TARGET.to_value()})


def test_a_release_that_is_listed_and_withdrawn_is_refused() -> None:
    with pytest.raises(BadReleaseMetadata, match="contradicts"):
        read_listing(ReleasePolicy(withdrawn={7: "worse"}).to_value(), _customs())


def test_paths() -> None:
    assert release_of_path(model_path(12)) == 12
    assert release_of_path(golden_path(12)) is None
    assert release_of_path("releases/012/model.onnx") is None
    assert release_of_path("service-keys.json") is None


def test_figures_that_are_no_numbers_cannot_be_written() -> None:
    with pytest.raises(BadReleaseMetadata):
        ReleaseReport.from_value(
            ReleaseReport(1, math.nan, 0.5, 0.5, 0.0, 0.0, 0.1, 0.2, {"all": 1.0}).to_value()
        )
