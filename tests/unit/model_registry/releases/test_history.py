"""What changed between two listings, and what no honest change does."""

from dataclasses import replace

import pytest

from model_registry.releases.history import differences, reversals
from tests.builders.release_drafts import release_target
from tests.builders.release_repository import chain_model
from wire_protocol.release_metadata import Listing, ReleasePolicy

MODEL = chain_model("polar-scoop")
ONE, TWO = release_target(1, MODEL), release_target(2, MODEL.noted("two"))
BEFORE = Listing(ReleasePolicy(1, {9: "worse"}, champion=1), {1: ONE})


def test_the_first_listing_is_told_whole() -> None:
    assert [one.split(":")[0] for one in differences(None, BEFORE)] == [
        "release 1 is published",
        "release 9 is withdrawn",
        "no register goes below release 1 any more",
        "champion is release 1",
    ]


def test_nothing_is_told_of_nothing() -> None:
    assert list(differences(BEFORE, BEFORE)) == []
    assert list(reversals(BEFORE, BEFORE)) == []


@pytest.mark.parametrize(
    ("after", "told", "reversal"),
    [
        (Listing(BEFORE.policy, {1: ONE, 2: TWO}), "release 2 is published", None),
        (
            Listing(ReleasePolicy(1, {9: "worse", 1: "bad"}), {}),
            "release 1 is withdrawn: bad",
            None,
        ),
        (
            Listing(BEFORE.policy, {1: replace(TWO, release=1)}),
            "release 1 is ANOTHER THAN BEFORE",
            "release 1 is another than before",
        ),
        (
            Listing(BEFORE.policy, {}),
            "release 1 is NO LONGER LISTED, without a reason",
            "release 1 is gone without a reason",
        ),
        (
            Listing(ReleasePolicy(1, champion=1), {1: ONE}),
            "release 9 is NO LONGER WITHDRAWN",
            "release 9 is gone without a reason",
        ),
        (
            Listing(ReleasePolicy(1, champion=1), {1: ONE, 9: replace(TWO, release=9)}),
            "release 9 is NO LONGER WITHDRAWN",
            "release 9 was withdrawn, and is listed again",
        ),
        (
            Listing(ReleasePolicy(0, {9: "worse"}, champion=1), {1: ONE}),
            "no register goes below release 0 any more",
            "the minimum sinks from 1",
        ),
        (
            Listing(ReleasePolicy(1000, {9: "worse"}), {1: ONE}),
            "no register goes below release 1000 any more",
            "the minimum, 1000, is above every release, and would never sink",
        ),
        (Listing(ReleasePolicy(1, {9: "worse"}), {1: ONE}), "champion is no release any more", None),
    ],
    ids=["new", "withdrawn", "other", "gone", "undone", "back", "sunk", "above all", "no-champion"],
)
def test_each_difference_is_told(after: Listing, told: str, reversal: str | None) -> None:
    assert any(told in one for one in differences(BEFORE, after))
    assert next(reversals(BEFORE, after), None) == reversal
