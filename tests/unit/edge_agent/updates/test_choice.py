"""Which model to run."""

from dataclasses import replace

from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, INSTALLED, candidates, previous, why_not
from edge_agent.updates.facts import Facts
from tests.builders.update_facts import NOW_MS, digest_of, good, on_trial, ordered, verified
from wire_protocol.fleet_messages import UpdateReason


def order_of(facts: Facts) -> list[int | str]:
    return [one.release or one.source.value for one in candidates(facts)]


def relisted(facts: Facts, **listed: object) -> Facts:
    return transitions.looked(facts, verified(**listed), facts.generation)  # type: ignore[arg-type]


def test_without_releases_the_installed_model_runs() -> None:
    """As on every register that never heard of releases."""
    assert candidates(Facts()) == (INSTALLED, BESTSELLERS)


def test_the_active_release_goes_before_the_last_good_one() -> None:
    """Then the GOOD ones, the newest verdict first; then what was installed; best-sellers last."""
    assert order_of(on_trial(good(2, 1), 3)) == [3, 1, 2, "installed", "best-sellers"]


def test_a_floor_puts_the_installed_model_out_for_good() -> None:
    """It has no number that could be held against the floor."""
    facts = relisted(good(1, 2), floor=2)
    assert order_of(facts) == [2, "best-sellers"]
    assert order_of(relisted(facts, floor=0)) == [2, "best-sellers"], "a floor never sinks"


def test_a_withdrawn_release_is_never_returned_to() -> None:
    """T9: best-sellers instead, called so."""
    facts = relisted(good(1, 2), withdrawn=(1, 2), floor=1)
    assert candidates(facts) == (BESTSELLERS,)
    assert why_not(facts, 2, digest_of(2)) is UpdateReason.WITHDRAWN


def test_what_is_not_listed_with_these_bytes_does_not_run() -> None:
    """The number alone is nothing."""
    facts = good(1, 2)
    assert why_not(facts, 2, digest_of(3)) is UpdateReason.NOT_LISTED
    assert why_not(facts, 77, digest_of(77)) is UpdateReason.NOT_LISTED
    assert why_not(replace(facts, listing=None), 2, digest_of(2)) is UpdateReason.NOT_LISTED
    assert why_not(relisted(facts, floor=3), 2, digest_of(2)) is UpdateReason.BELOW_FLOOR


def test_an_order_without_release_means_the_installed_model_or_best_sellers() -> None:
    """Never a release that lies here: the cloud wants none."""
    assert order_of(ordered(good(1), 9)) == ["installed", "best-sellers"]
    assert order_of(ordered(relisted(good(1), floor=1), 9)) == ["best-sellers"]


def test_a_bad_release_is_out() -> None:
    """What failed its trial gives way to the one before."""
    facts = transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "no use", NOW_MS)
    assert order_of(facts) == [1, "installed", "best-sellers"]


def test_a_return_leads_to_another_than_what_is_active() -> None:
    """The GOOD one before; from the first release, to the installed model."""
    assert previous(good(1, 2)).release == 1
    assert previous(good(1)) == INSTALLED
    assert previous(relisted(good(1), floor=1)) == BESTSELLERS
