"""What the doctor thinks of releases."""

from edge_agent.checkup import Verdict
from edge_agent.updates import transitions
from edge_agent.updates.advice import ADVICE
from edge_agent.updates.checkup import judge_metadata, judge_releases, judge_trust
from edge_agent.updates.errand import Failed
from edge_agent.updates.facts import Facts
from tests.builders.update_facts import NOW_MS, good, on_trial, ordered, verified
from wire_protocol.fleet_messages import UpdateReason

DAY_MS = 86_400_000


def test_a_missing_root_is_trouble_where_a_release_is_wanted() -> None:
    """And none where the chain signs nothing."""
    assert judge_trust(Facts(), root_there=False).verdict is Verdict.OK
    assert judge_trust(good(1), root_there=True).verdict is Verdict.OK
    finding = judge_trust(ordered(Facts(), 1, 2), root_there=False)
    assert finding.verdict is Verdict.FAILED
    assert "tenant trust" in finding.remedy


def test_old_metadata_is_trouble_where_a_release_waits_for_it() -> None:
    """Between orders nobody fetches any; its end stops nothing."""
    assert judge_metadata(Facts(), NOW_MS).verdict is Verdict.OK
    assert "good for 1 days" in judge_metadata(good(1), NOW_MS).said
    assert judge_metadata(good(1), NOW_MS + 9 * DAY_MS).verdict is Verdict.OK
    failure = Failed(UpdateReason.METADATA_EXPIRED, "it ended", passing=True)
    waiting = transitions.refused(ordered(good(1), 9, 2), failure, NOW_MS)
    finding = judge_metadata(waiting, NOW_MS + 9 * DAY_MS)
    assert (finding.verdict, finding.remedy) == (
        Verdict.WARNING,
        ADVICE[UpdateReason.METADATA_EXPIRED].remedy,
    )


def test_what_runs_and_how_the_newest_update_went_is_told_with_a_remedy() -> None:
    """Slots, floor, a person's return; trouble as a warning, because the till goes on."""
    assert judge_releases(Facts()).said == "the installed model"
    assert judge_releases(good(1, 2)).said == "release 2 (good); also 1 good"
    bad = transitions.failed(on_trial(good(1), 2), UpdateReason.TOO_SLOW, "3 of 30 took longer", NOW_MS)
    finding = judge_releases(bad)
    assert finding.verdict is Verdict.WARNING
    assert finding.said == "release 1 (good); also 2 bad; release 2 is bad: 3 of 30 took longer"
    assert finding.remedy == ADVICE[UpdateReason.TOO_SLOW].remedy
    none = transitions.looked(good(1), verified(withdrawn=(1,), floor=1), 9)
    assert judge_releases(none).verdict is Verdict.WARNING
