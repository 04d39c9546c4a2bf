"""The stream of live pages, over HTTP; what it sends is tested with the hub."""

from __future__ import annotations

import pytest

from cloud.console.live_hub import STREAMS_OF_ONE_MAX
from cloud.principal import Role
from tests.builders.console_stage import ConsoleStage, build_stage


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    made = build_stage(tmp_path_factory.mktemp("live"))
    made.desk.live.stop()  # each stream ends after its first line
    return made


def test_a_page_is_followed_by_who_may_see_it(stage: ConsoleStage) -> None:
    answer = stage.client(Role.VIEWER).get("/live?page=/fleet")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "retry: 3000\n\n"
    assert stage.desk.live.streams == 0
    stranger = stage.client(None)
    assert stranger.get("/live?page=/fleet", headers={"accept": "text/event-stream"}).status_code == 401


@pytest.mark.parametrize("page", ["/login", "//evil.example/fleet", "", "/fleet/../etc", "nothing"])
def test_only_live_pages_are_followed(stage: ConsoleStage, page: str) -> None:
    assert stage.client(Role.VIEWER).get("/live", params={"page": page}).status_code == 404


@pytest.mark.parametrize(
    "page", ["/rollouts/new", "/rollouts/" + "00" * 16, "/fleet/till-99", "/fleet?sort=x"]
)
def test_what_is_not_there_is_said_before_the_stream_begins(stage: ConsoleStage, page: str) -> None:
    """A browser does not come back to it every three seconds, and nothing breaks off in the log."""
    answer = stage.client(Role.VIEWER).get("/live", params={"page": page})
    assert answer.status_code in {400, 404}
    assert stage.desk.live.streams == 0


def test_following_does_not_keep_a_session_alive(stage: ConsoleStage) -> None:
    """A forgotten window is nobody: the session ends for idleness all the same."""
    client = stage.client(Role.VIEWER)
    for _ in range(3):
        stage.clock[0] += 1_300_000
        client.get("/live?page=/fleet")
    assert client.get("/fleet").status_code == 303


def test_too_many_streams_are_refused_and_the_page_stays(stage: ConsoleStage) -> None:
    client = stage.client(Role.VIEWER)
    visit = stage.desk.sessions.find(client.cookies[stage.desk.cookies.session])
    assert visit is not None
    for _ in range(STREAMS_OF_ONE_MAX):
        stage.desk.live.enter(visit.session)
    assert client.get("/live?page=/fleet").status_code == 503
    assert client.get("/fleet").status_code == 200
