"""Cameras as they are in the world: servers that stop and come back, files, other processes."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.adapters.cameras import open_camera
from edge_agent.adapters.cameras.frame_ring_camera import FrameRingCamera
from edge_agent.adapters.cameras.grabber import Grabber
from edge_agent.adapters.clock import SystemClock
from edge_agent.camera_spec import CameraTimes, parse_camera_spec
from edge_agent.config import CameraConfig
from edge_agent.ports import CameraState, Frame
from tests.builders.clips import write_clip
from tests.builders.mjpeg_server import MjpegServer, jpeg, mjpeg_server, scene
from tests.builders.rtsp_server import RtspServer, rtsp_server
from tests.builders.tiny_model import build_model_dir, painted_frame

_ROOT = Path(__file__).parents[2]
TIMES = CameraTimes(open_timeout_s=1.0, read_timeout_s=1.0, first_retry_s=0.02, longest_retry_s=0.1)
pytestmark = pytest.mark.timeout(30)  # what waits here waits for another thread, for a second or two

LEMON = painted_frame("lemon")


@contextmanager
def camera(
    source: str, *, model_dir: Path | None = None, times: CameraTimes = TIMES
) -> Iterator[Grabber | FrameRingCamera]:
    settings = CameraConfig(source=source, fps=30, max_age_ms=500)
    opened = open_camera(
        parse_camera_spec(source), settings=settings, clock=SystemClock(), model_dir=model_dir, times=times
    )
    try:
        yield opened
    finally:
        opened.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for the world; pytest's own timeout ends a wait that would never end."""
    while not condition():
        time.sleep(0.005)


def newest(opened: Grabber | FrameRingCamera) -> Frame:
    """The newest picture, as soon as there is one."""
    until(lambda: opened.latest() is not None)
    frame = opened.latest()
    assert frame is not None
    return frame


@pytest.mark.parametrize("content_length", [True, False])
def test_an_mjpeg_camera_gives_its_pictures_as_they_come(*, content_length: bool) -> None:
    """With and without Content-Length in the parts."""
    with (
        mjpeg_server(MjpegServer(pictures=[jpeg(LEMON)], content_length=content_length)) as server,
        camera(server.url) as opened,
    ):
        first = newest(opened)
        assert first.pixels.shape == (480, 640, 3)
        assert np.abs(first.pixels.astype(int) - LEMON).max() < 8
        until(lambda: newest(opened).sequence > first.sequence + 2)
        assert opened.state() is CameraState.LIVE


def test_a_camera_that_hangs_up_mid_stream_is_away_and_comes_back() -> None:
    with mjpeg_server() as server, camera(server.url) as opened:
        newest(opened)
        server.hang_up.set()
        until(lambda: opened.state() is CameraState.AWAY)
        server.hang_up.clear()
        until(lambda: opened.state() is CameraState.LIVE)


def test_a_camera_whose_machine_disappears_is_away_and_comes_back_at_the_same_address() -> None:
    with mjpeg_server() as server:
        port = server.port
    with camera(f"http://127.0.0.1:{port}/video.mjpg") as opened:
        until(lambda: opened.state() is CameraState.AWAY)
        assert "cannot be reached" in str(opened.trouble())
        with mjpeg_server(MjpegServer(port=port)):
            until(lambda: opened.state() is CameraState.LIVE)
        until(lambda: opened.state() is CameraState.AWAY)
        assert opened.latest() is not None


def test_a_camera_that_falls_silent_is_stale_then_away() -> None:
    """The connection stays open, as with a camera that froze: no read blocks for ever."""
    with mjpeg_server() as server, camera(server.url) as opened:
        newest(opened)
        server.mute.set()
        until(lambda: opened.state() is CameraState.STALE)
        until(lambda: opened.state() is CameraState.AWAY)
        assert server.connections >= 1
        server.mute.clear()
        until(lambda: opened.state() is CameraState.LIVE)


def test_closing_a_silent_camera_does_not_wait_for_its_timeout() -> None:
    patient = CameraTimes(open_timeout_s=30, read_timeout_s=30)
    with mjpeg_server() as server, camera(server.url, times=patient) as opened:
        newest(opened)
        server.mute.set()
        opened.close()
        assert isinstance(opened, Grabber)
        assert not opened._thread.is_alive(), "ended within the two seconds that `close` waits, not after 30"


def test_a_login_in_the_url_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    with mjpeg_server(MjpegServer(login="Basic YWRtaW46cGE6c3M=")) as server:
        address = f"127.0.0.1:{server.port}/video.mjpg"
        with camera(f"http://admin:pa%3Ass@{address}") as opened:
            newest(opened)
        with camera(f"http://admin:wr0ng@{address}") as refused:
            until(lambda: refused.state() is CameraState.AWAY)
            assert "refuses this login" in str(refused.trouble())
            assert "wr0ng" not in str(refused.trouble())
        with camera(f"http://{address}") as stranger:
            until(lambda: stranger.state() is CameraState.AWAY)
            assert "without a login" in str(stranger.trouble())
    assert "wr0ng" not in caplog.text
    assert "pa%3Ass" not in caplog.text


def test_an_answer_that_is_no_mjpeg_says_what_it_is() -> None:
    with mjpeg_server(MjpegServer(content_type="text/html")) as server, camera(server.url) as opened:
        until(lambda: opened.state() is CameraState.AWAY)
        assert "text/html" in str(opened.trouble())


def test_broken_and_hostile_pictures_in_a_stream_are_passed_over() -> None:
    """T11: cut off, no picture at all, and a header of 9000x9000 pixels, among good ones."""
    good = jpeg(LEMON)
    bomb = bytearray(good)
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = (9000).to_bytes(2) * 2
    pictures = [good, good[: len(good) // 2], b"\xff\xd8nonsense\xff\xd9", bytes(bomb)]
    with mjpeg_server(MjpegServer(pictures=pictures, fps=60)) as server, camera(server.url) as opened:
        until(lambda: newest(opened).sequence > 5)
        assert newest(opened).pixels.shape == (480, 640, 3)
        assert server.connections == 1


def test_a_stream_of_nothing_but_broken_pictures_is_a_lost_camera() -> None:
    with (
        mjpeg_server(MjpegServer(pictures=[b"\xff\xd8nonsense\xff\xd9"], fps=60)) as server,
        camera(server.url) as opened,
    ):
        until(lambda: opened.state() is CameraState.AWAY)
        assert opened.trouble() is not None
        assert opened.latest() is None


def test_an_rtsp_camera_gives_pictures_and_survives_a_hang() -> None:
    """A stream that falls silent with its connection open is away after the timeout, and comes back."""
    with rtsp_server() as server, camera(server.url()) as opened:
        assert newest(opened).pixels.shape == (480, 640, 3)
        assert newest(opened).pixels.std() > 20, "a picture, not a grey field"
        server.mute.set()
        until(lambda: opened.state() is CameraState.AWAY)
        server.mute.clear()
        until(lambda: opened.state() is CameraState.LIVE)


def test_an_rtsp_camera_that_accepts_and_never_answers_is_given_up() -> None:
    server = RtspServer()
    server.mute.set()
    with rtsp_server(server), camera(server.url()) as opened:
        until(lambda: opened.state() is CameraState.AWAY)
        assert "does not answer" in str(opened.trouble())


def test_an_rtsp_camera_takes_its_login_and_never_shows_it(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in our log nor in what FFmpeg writes by itself."""
    with rtsp_server(RtspServer(login=("admin", "pa:ss"))) as server:
        with camera(server.url("admin:pa%3Ass@")) as opened:
            newest(opened)
        with camera(server.url("admin:wr0ng@")) as refused:
            until(lambda: refused.state() is CameraState.AWAY)
            assert "password" in getattr(refused.trouble(), "remedy", "")
            assert "wr0ng" not in str(refused.trouble())
    written = caplog.text + "".join(capfd.readouterr())
    assert "wr0ng" not in written
    assert "pa%3Ass" not in written


def test_a_clip_runs_over_and_over(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", [(0.5, LEMON)], fps=20)
    with camera(str(clip)) as opened:
        until(lambda: newest(opened).sequence > 12)
        assert opened.state() is CameraState.LIVE


def test_a_picture_and_a_folder_of_pictures_are_cameras(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), scene(number))
    for source in (tmp_path, tmp_path / "1.png"):
        with camera(str(source)) as opened:
            until(lambda opened=opened: newest(opened).sequence > 4)  # type: ignore[misc]
            assert opened.state() is CameraState.LIVE


def test_golden_frames_and_the_test_picture_are_cameras(tmp_path: Path) -> None:
    for model_dir in (build_model_dir(tmp_path), None):
        with camera("synthetic:", model_dir=model_dir) as opened:
            assert newest(opened).pixels.shape == (480, 640, 3)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/dev/video93", "there is no /dev/video93"),
        ("/dev/null", "cannot be opened as a camera"),
        ("/nowhere/at/all.mp4", "there is no /nowhere/at/all.mp4"),
        ("rtsp://admin:s3cret@127.0.0.1:9/stream", "does not answer"),
    ],
)
def test_a_camera_that_is_not_there_says_what_to_do_and_is_tried_again(source: str, said: str) -> None:
    with camera(source) as opened:
        until(lambda: opened.state() is CameraState.AWAY)
        trouble = opened.trouble()
        assert trouble is not None
        assert said in str(trouble)
        assert trouble.remedy
        assert "s3cret" not in f"{trouble} {trouble.remedy}"
        assert opened.latest() is None


def test_a_ring_of_another_process_is_a_camera_until_that_process_dies(tmp_path: Path) -> None:
    """SIGKILL leaves the file behind: stale. A new writer with a new file: live again."""
    path = tmp_path / "till.ring"
    writer = textwrap.dedent(f"""
        import time, numpy as np
        from pathlib import Path
        from simulator.frame_ring_writer import FrameRingWriter
        ring = FrameRingWriter(Path({str(path)!r}), 320, 240)
        for number in range(100_000):
            ring.write(np.full((240, 320, 3), number % 251, np.uint8), time.monotonic_ns())
            time.sleep(0.005)
    """)
    with camera(f"synthetic:{path}") as opened:
        assert opened.state() is CameraState.AWAY
        for _ in range(2):
            process = subprocess.Popen([sys.executable, "-c", writer], cwd=_ROOT)
            try:
                until(lambda: opened.state() is CameraState.LIVE)
                for _ in range(50):
                    frame = newest(opened)
                    assert (frame.pixels == frame.pixels[0, 0, 0]).all(), "half of one frame, half of another"
            finally:
                process.kill()
                process.wait()
            until(lambda: opened.state() is CameraState.STALE)
            path.unlink()
            until(lambda: opened.state() is CameraState.AWAY)
