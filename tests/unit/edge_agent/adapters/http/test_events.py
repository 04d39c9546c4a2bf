"""The stream of events."""

import json
from collections.abc import Iterator

import httpx
import pytest

from edge_agent.adapters.http import events
from edge_agent.events import MAX_SUBSCRIBERS, Event
from tests.builders.local_api import LocalApi


class Stream:
    """Reads blocks of a stream, one at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines: Iterator[str] = response.iter_lines()

    def block(self) -> dict[str, str]:
        """The next block; a comment is under the empty name."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        return {}


def listening(api: LocalApi, **headers: str) -> "httpx._client.Client":
    return api.stranger.stream("GET", "/v1/events", headers=headers, timeout=20)  # type: ignore[return-value]


def test_events_arrive_with_id_kind_and_data(api: LocalApi) -> None:
    """And the browser is told how soon to come back."""
    with listening(api) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = Stream(response)
        assert stream.block() == {"retry": "1000"}
        opened = api.client.post("/v1/interactions").json()
        block = stream.block()
    assert (block["id"], block["event"]) == ("1", "recommendation")
    assert json.loads(block["data"])["interaction_id"] == opened["interaction_id"]


def test_a_listener_resumes_where_it_was(api: LocalApi) -> None:
    """By header as browsers do, and by query after a page made a new connection."""
    for number in range(1, 4):
        api.publish("menu", number=number)
    for headers, query in (({"Last-Event-ID": "1"}, ""), ({}, "?last_event_id=1")):
        with api.stranger.stream("GET", f"/v1/events{query}", headers=headers) as response:
            stream = Stream(response)
            stream.block()
            assert [stream.block()["id"] for _ in range(2)] == ["2", "3"]


def test_a_gap_is_told(api: LocalApi) -> None:
    """An id of the agent's last run cannot be resumed from."""
    with listening(api, **{"Last-Event-ID": "999"}) as response:
        stream = Stream(response)
        stream.block()
        assert stream.block()["event"] == "missed"


@pytest.mark.parametrize("wrong", ["abc", "-1", "1.5", "9" * 40])
def test_an_impossible_id_is_told(still_api: LocalApi, wrong: str) -> None:
    """Not silently taken for none."""
    answer = still_api.stranger.get("/v1/events", headers={"Last-Event-ID": wrong})
    assert answer.status_code == 422


def test_silence_is_filled_with_comments(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no proxy takes the stream for dead."""
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    with listening(api) as response:
        stream = Stream(response)
        stream.block()
        assert stream.block() == {"": "still here"}


def test_too_many_listeners_are_told(api: LocalApi) -> None:
    """503 with a reason; those who listen go on."""
    held = [api.hub.subscribe() for _ in range(MAX_SUBSCRIBERS)]
    answer = api.stranger.get("/v1/events")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("too-many-listeners")
    api.on_loop(held[0].close)
    with listening(api) as response:
        assert response.status_code == 200


def test_a_listener_that_left_is_forgotten(api: LocalApi) -> None:
    """Its place is free again."""
    with listening(api) as response:
        stream = Stream(response)
        stream.block()
        assert api.hub.subscribers == 1
    for _ in range(200):
        if api.hub.subscribers == 0:
            return
        api.client.get("/healthz")
    pytest.fail("the subscription is still there")


def test_an_event_is_one_line_of_data() -> None:
    """Line breaks in a name cannot forge a second event."""
    wire = events.encode(Event(7, "menu", {"name": "a\n\nevent: forged"}))
    assert wire == b'id: 7\nevent: menu\ndata: {"name":"a\\n\\nevent: forged"}\n\n'
