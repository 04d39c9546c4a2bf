"""The camera: opens, and gives pictures at the pace that is asked for."""

import time

from daemon.errors import ConfigError
from edge_agent.adapters.cameras import open_camera
from edge_agent.adapters.cameras.frame_ring_camera import FrameRingCamera
from edge_agent.adapters.cameras.grabber import Grabber
from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.camera_spec import CameraKind, parse_camera_spec
from edge_agent.checkup import Finding, Verdict, judge_pictures
from edge_agent.config import EdgeConfig
from edge_agent.errors import CameraError
from edge_agent.ports import Camera, Frame

_FIRST_PICTURE_S = 8.0
_SECOND_CHANCE_S = 2.0
"""One more attempt at what failed at once, e.g. while another program lets the device go."""
_WATCHED_S = 2.0
_POLL_S = 0.005


def check_camera(config: EdgeConfig) -> Finding:
    """Open it beside everything else and count pictures for two seconds."""
    try:
        spec = parse_camera_spec(config.camera.source)
    except ConfigError as error:
        return Finding("camera", Verdict.FAILED, str(error), error.remedy)
    if spec.kind is CameraKind.DEVICE and agent_runs(config.data_dir):
        return Finding(
            "camera",
            Verdict.OK,
            f"{spec} is not opened: the agent has it",
            "Its state is on /readyz of the local API; stop the agent to have it checked here.",
        )
    camera = open_camera(spec, settings=config.camera, clock=SystemClock(), model_dir=config.model_dir)
    try:
        first = _first(camera)
        if first is None:
            return _no_picture(str(spec), camera.trouble())
        started = time.monotonic()
        count, newest = _count(camera, first)
        return judge_pictures(
            str(spec),
            count=count,
            seconds=time.monotonic() - started,
            width=newest.pixels.shape[1],
            height=newest.pixels.shape[0],
            wanted_fps=config.camera.fps,
        )
    finally:
        camera.close()


def _no_picture(name: str, trouble: CameraError | None) -> Finding:
    if trouble is None:
        said = f"{name} opened, but gave no picture within {_FIRST_PICTURE_S:g} s"
        return Finding("camera", Verdict.FAILED, said, "Unplug and plug it in, or restart the camera.")
    return Finding("camera", Verdict.FAILED, str(trouble), trouble.remedy)


def _first(camera: Grabber | FrameRingCamera) -> Frame | None:
    started = time.monotonic()
    while (frame := camera.latest()) is None:
        patience_s = _FIRST_PICTURE_S if camera.trouble() is None else _SECOND_CHANCE_S
        if time.monotonic() - started > patience_s:
            break
        time.sleep(_POLL_S)
    return frame


def _count(camera: Camera, newest: Frame) -> tuple[int, Frame]:
    """How many other pictures came while watching, and the last of them."""
    count, deadline = 0, time.monotonic() + _WATCHED_S
    while time.monotonic() < deadline:
        time.sleep(_POLL_S)
        frame = camera.latest()
        if frame is not None and frame.captured_ns != newest.captured_ns:
            count, newest = count + 1, frame
    return count, newest
