"""Releases for people and programs."""

import json

from edge_agent.adapters.http.schemas import ReleasesAnswer
from edge_agent.updates import transitions
from edge_agent.updates.choice import INSTALLED, candidates, previous
from edge_agent.updates.facts import Facts
from edge_agent.updates.figures import Watched, figures
from edge_agent.updates.overview import lines, lines_of_return, overview
from tests.builders.update_facts import NOW_MS, good, on_trial, verified
from wire_protocol.fleet_messages import ShadowHealth, UpdateReason


def test_the_overview_is_what_the_api_describes() -> None:
    """With and without releases, update, metadata and shadow."""
    shadow = ShadowHealth(7, "a" * 64, 10, 9, 8, 0, 0.5)
    bad = transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "3 of 3", NOW_MS)
    for facts in (Facts(), good(1, 2), bad):
        running = candidates(facts)[0]
        for found in (None, figures(facts, running, None, Watched(shadow=shadow))):
            view = overview(facts, running, found)
            ReleasesAnswer.model_validate(view)
            json.dumps(view)


def test_a_person_reads_what_runs_and_why() -> None:
    """One line per release, the one in use marked, and the reason why one may not run."""
    assert lines(overview(Facts(), INSTALLED)) == [
        "In use: the installed model.",
        "No release has come to this register yet.",
    ]
    facts = transitions.looked(good(1, 2), verified(withdrawn=(1,), floor=2), 9)
    told = lines(overview(facts, candidates(facts)[0]))
    assert told[0] == "In use: release 2."
    assert told[1].startswith("  release 1      good")
    assert told[1].endswith("may not run: withdrawn")
    assert told[2].startswith("* release 2      good")
    assert told[-1] == "Nothing below release 2 is run."
    facts = good(1, 2)
    back = transitions.returned(facts, previous(facts), NOW_MS)
    told = lines(overview(back, candidates(back)[0]))
    assert told[1].startswith("A person at the till went back")
    assert "returned: a person at the till went back to release 1" in told[-1]


def test_a_person_is_told_plainly_that_there_is_no_model_before() -> None:
    """Best-sellers, and until when; which release was left is listed."""
    facts = transitions.looked(good(1), verified(floor=1), 9)
    back = transitions.returned(facts, previous(facts), NOW_MS)
    view = overview(back, candidates(back)[0])
    told = lines_of_return(view)
    assert told[0] == "In use: best-sellers."
    assert "no model before that may run here" in told[1]
    assert "left with order 1" in lines(view)[2]
    facts = good(1, 2)
    back = transitions.returned(facts, previous(facts), NOW_MS)
    assert lines_of_return(overview(back, candidates(back)[0])) == ["In use: release 1."]
