from pathlib import Path

import pytest

from edge_agent.adapters.checks import camera
from edge_agent.adapters.checks.camera import check_camera
from edge_agent.adapters.data_folder import DataFolder
from edge_agent.adapters.randomness import system_randomness
from edge_agent.checkup import Verdict
from edge_agent.config import CameraConfig, EdgeConfig


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_SECOND_CHANCE_S", 0.05)
    monkeypatch.setattr(camera, "_WATCHED_S", 0.3)


def config(source: str, data_dir: Path) -> EdgeConfig:
    return EdgeConfig(
        tenant="gelateria-sole",
        store="s",
        register="r",
        data_dir=data_dir,
        camera=CameraConfig(source=source, fps=20),
    )


def test_a_camera_with_pictures_is_described(tmp_path: Path) -> None:
    finding = check_camera(config("synthetic:", tmp_path))
    assert finding.verdict is not Verdict.FAILED
    assert "640x480" in finding.said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/dev/video93", "there is no /dev/video93"),
        ("nonsense:", "cannot start with"),
        ("/nowhere/clip.mp4", "there is no /nowhere"),
        ("rtsp://user:s3cret@127.0.0.1:1/x", "does not answer"),
        ("http://user:s3cret@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_what_gives_no_pictures_fails_with_its_reason_and_no_password(
    tmp_path: Path, source: str, said: str
) -> None:
    finding = check_camera(config(source, tmp_path))
    assert finding.verdict is Verdict.FAILED
    assert said in finding.said
    assert finding.remedy
    assert "s3cret" not in f"{finding}"


def test_a_device_is_left_to_the_running_agent(tmp_path: Path) -> None:
    with DataFolder(tmp_path, system_randomness):
        finding = check_camera(config("0", tmp_path))
    assert (finding.verdict, "the agent has it" in finding.said) == (Verdict.OK, True)
