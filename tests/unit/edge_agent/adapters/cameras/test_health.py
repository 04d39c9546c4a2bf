import logging

import pytest

from daemon.log_fields import FIELDS_ATTRIBUTE
from edge_agent.adapters.cameras.health import CameraHealth
from edge_agent.errors import CameraError
from edge_agent.ports import CameraState

MS = 1_000_000
AWAY = CameraError("the cable is out", remedy="Plug it in.")


def make() -> CameraHealth:
    return CameraHealth("till", stale_after_ms=1000)


def test_a_camera_starts_and_is_live_with_its_first_picture() -> None:
    health = make()
    assert health.state(0) is CameraState.STARTING
    health.picture(captured_ns=5 * MS, now_ns=6 * MS)
    assert health.state(7 * MS) is CameraState.LIVE


def test_silence_makes_it_stale_and_a_picture_live_again() -> None:
    health = make()
    health.picture(0, 0)
    assert health.state(1000 * MS) is CameraState.LIVE
    assert health.state(1001 * MS) is CameraState.STALE
    health.picture(1002 * MS, 1002 * MS)
    assert health.state(1002 * MS) is CameraState.LIVE


def test_a_lost_camera_is_away_until_its_next_picture_and_says_why() -> None:
    health = make()
    health.picture(0, 0)
    health.lost(AWAY, 1)
    assert health.state(2) is CameraState.AWAY
    assert health.trouble is AWAY
    health.picture(3, 3)
    assert health.state(3) is CameraState.LIVE


def test_each_change_is_logged_once_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    """A camera that is away for a week is one line, not one per attempt."""
    health = make()
    with caplog.at_level(logging.INFO):
        health.picture(0, 0)
        for now_ns in range(5):
            health.lost(AWAY, now_ns)
    assert [record.message for record in caplog.records] == ["camera.live", "camera.away"]
    assert getattr(caplog.records[1], FIELDS_ATTRIBUTE)["remedy"] == "Plug it in."
