import json

from edge_agent.impression import Reason
from edge_agent.moment import as_event
from tests.builders.records import impression, interaction_id


def test_listeners_hear_the_slate_and_nothing_about_the_scores() -> None:
    event = as_event(impression(7, reason=Reason.NOBODY))
    assert event["interaction_id"] == str(interaction_id(7))
    assert event["reason"] == "nobody"
    assert event["top3"] == [
        {"flavour": "mango", "name": "Mango", "probability": 0.5},
        {"flavour": "mint", "name": "Mint", "probability": 0.25},
        {"flavour": "lemon", "name": "Lemon", "probability": 0.125},
    ]
    assert "scores" not in event
    assert json.loads(json.dumps(event)) == event, "plain values only"
