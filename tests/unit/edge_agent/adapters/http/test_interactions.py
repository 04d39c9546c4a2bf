"""Opening interactions over HTTP."""

import pytest

from edge_agent.ports import CameraState
from tests.builders.local_api import LocalApi, running_api

OWN_PAGE = {"Origin": ""}


def test_the_answer_is_complete_and_best_first(api: LocalApi) -> None:
    """Everything a till shows or sends back later."""
    answer = api.client.post("/v1/interactions")
    assert answer.status_code == 201
    body = answer.json()
    assert body["top3"][0]["flavour"] == "mango"
    assert body["top3"][0]["name"] == "Mango"
    chances = [offer["probability"] for offer in body["top3"]]
    assert chances == sorted(chances, reverse=True)
    assert (body["source"], body["reason"], body["arm"], body["model"]) == (
        "model",
        None,
        "model",
        "2026.11.22",
    )
    assert body["frame_age_ms"] == 0.0
    assert {"interaction_id", "inference_ms", "total_ms"} <= body.keys()
    assert str(next(iter(api.register.journal.impressions))) == body["interaction_id"]


def test_what_the_till_knows_reaches_the_record(api: LocalApi) -> None:
    """Temperature, and the shop's clock where it is not the register's."""
    context = {"temperature_c": 31, "hour": 9.5, "weekday": 6}
    assert api.client.post("/v1/interactions", json={"context": context}).status_code == 201
    (impression,) = api.register.journal.impressions.values()
    assert dict(impression.context) == {"temperature_c": 31.0, "hour": 9.5, "weekday": 6, "shop": "beach"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"context": null}', b'{"context": {}}'])
def test_nothing_has_to_be_known(api: LocalApi, body: bytes) -> None:
    """An empty body is the usual one."""
    answer = api.client.post("/v1/interactions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "no valid JSON"),
        (b"[]", "the body"),
        (b'"\xff"', "no valid JSON"),
        (b"[" * 20_000, "no valid JSON"),
        (b'{"contxt": {}}', "`contxt` is not known here"),
        (b'{"context": {"temperature_f": 70}}', "`context.temperature_f` is not known here"),
        (
            b'{"context": {"temperature_c": "warm"}}',
            "`context.temperature_c`: input should be a valid number",
        ),
        (b'{"context": {"temperature_c": NaN}}', "`context.temperature_c`"),
        (b'{"context": {"weekday": 1.5}}', "`context.weekday`: input should be a valid integer"),
        (b'{"context": {"weekday": true}}', "`context.weekday`"),
    ],
)
def test_a_wrong_body_is_told_in_plain_words(still_api: LocalApi, body: bytes, told: str) -> None:
    """What is wrong and where; nothing was opened."""
    answer = still_api.client.post(
        "/v1/interactions", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    assert still_api.register.journal.impressions == {}


def test_an_impossible_context_is_told(still_api: LocalApi) -> None:
    """By the agent, which knows the bounds."""
    answer = still_api.client.post("/v1/interactions", json={"context": {"hour": 25}})
    assert answer.status_code == 422
    assert "hour" in answer.json()["detail"]


def test_what_a_form_can_send_is_refused(still_api: LocalApi) -> None:
    """A page can send a form's content types without asking first."""
    answer = still_api.client.post("/v1/interactions", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["remedy"]


def test_without_a_camera_best_sellers_are_shown_and_called_so(api: LocalApi) -> None:
    """The till gets 201 whatever happens to camera and model."""
    api.register.camera.frame = None
    api.register.camera.now_state = CameraState.AWAY
    body = api.client.post("/v1/interactions").json()
    assert (body["source"], body["reason"]) == ("bestsellers", "camera-away")
    assert [offer["flavour"] for offer in body["top3"]] == ["vanilla", "chocolate", "strawberry"]


def test_without_anything_the_slate_is_empty() -> None:
    """No model and no configured best-sellers: the till is told why."""
    with running_api(None) as api:
        body = api.client.post("/v1/interactions").json()
    assert (body["top3"], body["source"], body["reason"]) == ([], "bestsellers", "no-catalogue")


def test_the_display_confirms_from_its_own_origin(api: LocalApi) -> None:
    """Same origin, no token; recorded once however often it is said."""
    interaction_id = api.client.post("/v1/interactions").json()["interaction_id"]
    path = f"/v1/interactions/{interaction_id}/displayed"
    for _ in range(2):
        assert api.stranger.post(path, headers={"Origin": api.url}).status_code == 204
    assert [str(key) for key in api.register.journal.shown] == [interaction_id]


@pytest.mark.parametrize("wrong", ["nonsense", "01a203a7-2ca9-7f85-b2d2-1fbd4bb9502b", "..%2F..%2Fmenu"])
def test_an_unknown_interaction_is_404(still_api: LocalApi, wrong: str) -> None:
    """Impossible ids and ids of other registers alike."""
    answer = still_api.client.post(f"/v1/interactions/{wrong}/displayed")
    assert answer.status_code == 404
