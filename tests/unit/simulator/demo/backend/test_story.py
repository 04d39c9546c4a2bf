import json

import pytest

from simulator.bayes import best_sellers
from simulator.chains import CHAINS
from simulator.demo.backend.account import FrameAccount
from simulator.demo.backend.arrivals import Arrival
from simulator.demo.backend.story import (
    ARRIVALS_SHOWN,
    Erasure,
    Forgery,
    Outage,
    Story,
    story_shortfalls,
    story_summary,
    story_view,
)
from simulator.demo.live_state import RegisterInfo
from wire_protocol.topics import Up

_GOOD = FrameAccount(captured=3, stored=2, without_consent=1)


@pytest.fixture
def story() -> Story:
    chain = CHAINS["polar-scoop"]
    infos = {
        f"polar-scoop/{shop.id}-1": RegisterInfo(
            f"polar-scoop/{shop.id}", chain, shop, best_sellers(chain.taste), "http://127.0.0.1:9"
        )
        for shop in chain.shops[:2]
    }
    return Story(infos)


def _arrival(fate: str = "stored", message_id: str = "aa", kind: Up = Up.FRAME, reason: str = "") -> Arrival:
    return Arrival("polar-scoop/elm-park-1", kind, fate, message_id, 30_000, 9, reason)


def test_frames_are_listed_newest_first_and_small_kinds_are_only_counted(story: Story) -> None:
    for number in range(ARRIVALS_SHOWN + 3):
        story.arrived(_arrival(message_id=str(number)))
        story.arrived(_arrival(message_id=f"i{number}", kind=Up.INTERACTION))
    view = story_view(story)
    assert len(view["arrivals"]) == ARRIVALS_SHOWN
    assert view["arrivals"][0]["number"] == ARRIVALS_SHOWN + 3
    assert view["arrivals"][0]["shop"] == "Elm Park"
    assert view["frames"] == view["others"] == ARRIVALS_SHOWN + 3
    json.dumps(view, allow_nan=False)


@pytest.mark.parametrize("news_first", [True, False])
def test_the_forgerys_refusal_is_known_by_its_id(story: Story, news_first: bool) -> None:  # noqa: FBT001
    """The collector may be faster than the forger's acknowledgement."""
    refusal = _arrival("refused", "f0", reason="bad-signature")
    story.arrived(_arrival("refused", "other", reason="too-old"))
    if news_first:
        story.forged("f0")
        assert story.forgery is Forgery.SENT
    story.arrived(refusal)
    if not news_first:
        story.forged("f0")
    assert (story.forgery, story.forgery_reason) == (Forgery.REFUSED, "bad-signature")
    assert story_view(story)["arrivals"][0]["forged"]


def test_a_forgery_that_is_stored_is_a_failure(story: Story) -> None:
    story.forged("f0")
    story.arrived(_arrival("stored", "f0"))
    assert "the forged frame was not refused (stored)" in story_shortfalls(story)


def test_only_what_changed_is_news(story: Story) -> None:
    assert story.take_changed()
    story.line("polar-scoop/elm-park", connected=True, waiting=2, frames=_GOOD)
    assert story.take_changed()
    story.line("polar-scoop/elm-park", connected=True, waiting=2, frames=_GOOD)
    story.tell(erased=0)
    assert not story.take_changed()
    story.tell(erased=1)
    assert story.take_changed()


def test_a_check_that_saw_everything_misses_nothing(story: Story) -> None:
    for register in story.lines:
        story.line(register, connected=True, waiting=0, frames=_GOOD)
    story.tell(forgery=Forgery.REFUSED, outage=Outage.CAUGHT_UP, erasure=Erasure.ERASED)
    assert story_shortfalls(story) == []
    summary = story_summary(story)
    assert summary["frames"] == {
        "captured": 6, "stored": 4, "refused": 0, "gone": 0, "dropped": 0, "spooled": 0, "lost": 0,
        "without_consent": 2,
    }  # fmt: skip


def test_a_check_names_all_that_it_misses(story: Story) -> None:
    lost = FrameAccount(captured=2)
    story.line("polar-scoop/elm-park", connected=True, waiting=0, frames=lost)
    assert story_shortfalls(story) == [
        "2 of 2 pictures are unaccounted for",
        "no picture reached the cloud",
        "the forged frame was not refused (soon)",
        "the unplugged register did not catch up (soon)",
        "the erasure did not end (soon)",
    ]
