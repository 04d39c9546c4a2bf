"""Which model to run."""

from dataclasses import replace

from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, INSTALLED, Choice, Source, candidates, previous, why_not
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
    assert order_of(on_trial(good(1, 2), 3)) == [3, 2, 1, "installed", "best-sellers"]


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
    """The GOOD one before; from the first release, to the installed model where there is one that may run."""
    assert previous(good(1, 2)).release == 1
    assert previous(good(1)) == INSTALLED
    assert previous(good(1), installed=False) == BESTSELLERS
    assert previous(relisted(good(1), floor=1)) == BESTSELLERS


def settled(facts: Facts) -> Facts:
    """With what the order wants in use, as it lies here."""
    assert facts.order is not None
    slot = facts.slot(facts.order.release)
    return transitions.activated(facts, Choice(Source.RELEASE, slot), NOW_MS + 90)


def test_a_return_never_picks_what_the_chain_has_left() -> None:
    """T9: after a return by the cloud: the release before, the installed model, best-sellers."""
    back = settled(ordered(good(1, 2, 3), 9, 2))
    assert previous(back).release == 1
    back = settled(ordered(good(1, 2), 9, 1))
    assert previous(back) == INSTALLED
    assert previous(relisted(back, floor=1)) == BESTSELLERS


def test_what_the_chain_has_left_is_used_only_where_the_one_in_use_breaks() -> None:
    """After all other models, before best-sellers; never where a person went back."""
    back = settled(ordered(good(1, 2), 9, 1))
    assert order_of(back) == [1, "installed", 2, "best-sellers"]
    held = transitions.returned(relisted(back, floor=1), BESTSELLERS, NOW_MS)
    assert candidates(held) == (BESTSELLERS,)


def test_a_person_who_goes_back_twice_goes_further_back() -> None:
    """Not to and fro; the next order that wants a release takes the note away."""
    once = transitions.returned(good(1, 2, 3), previous(good(1, 2, 3)), NOW_MS)
    assert (once.active, previous(once).release) == (2, 1)
    twice = transitions.returned(once, previous(once), NOW_MS)
    assert previous(twice) == INSTALLED
    again = settled(ordered(twice, 9, 3))
    assert (order_of(again)[0], previous(again).release) == (3, 1)
