"""Devices (V4L2), RTSP streams and clips, through OpenCV."""

import os
from pathlib import Path
from threading import Event

import cv2
import numpy as np

from edge_agent.adapters.cameras.source import Picture
from edge_agent.camera_spec import CameraSpec, CameraTimes
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.ports import Clock

# OpenCV would write a warning of its own to standard error at each attempt; ours says it once, with a remedy.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

_NS_PER_S = 1_000_000_000
_EARLY = 0.7
"""Pictures of a 30 fps camera never come at even times; one that comes at this share of the gap is due."""
_CLIP_FPS = 25.0
"""Where a clip does not say."""


def open_device(spec: CameraSpec, settings: CameraConfig, clock: Clock) -> "CaptureSource":
    """A V4L2 camera at the size and pace of the settings, or the nearest that it has.

    Raises:
        CameraError: Not there, not permitted, in use, or without pictures.
    """
    path = spec.target
    if not Path(path).exists():
        raise CameraError(
            f"there is no {path}",
            remedy="Is the camera plugged in? `ls -l /dev/video* /dev/v4l/by-id/` lists what is there.",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(
            f"this user may not use {path}",
            remedy="Add the agent's user to the group video (`usermod -aG video USER`) and start it again.",
        )
    capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise CameraError(
            f"{path} cannot be opened as a camera",
            remedy="Another program may use it (`fuser -v` tells), or it is a second node without pictures: "
            "try the next number, or a path below /dev/v4l/by-id/.",
        )
    # Raw pictures cost a fifth of MJPEG's decoding; USB 2 carries them up to about this size.
    raw = settings.width * settings.height <= 640 * 480
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*("YUYV" if raw else "MJPG")))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    capture.set(cv2.CAP_PROP_FPS, settings.fps)
    # The driver queues about four pictures otherwise, and the newest is the last to come out.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return CaptureSource(capture, clock, fps=settings.fps)


def open_stream(
    spec: CameraSpec, settings: CameraConfig, times: CameraTimes, clock: Clock
) -> "CaptureSource":
    """An RTSP stream, through FFmpeg with one thread.

    Raises:
        CameraError: Not reachable in time, wrong password, or without pictures.
    """
    capture = _ffmpeg(spec.target, times)
    if not capture.isOpened():
        capture.release()
        raise CameraError(
            f"{spec} does not answer with pictures within {times.open_timeout_s:g} s",
            remedy="Check address, path, user name and password in another player, e.g. VLC.",
        )
    return CaptureSource(capture, clock, fps=settings.fps)


def open_clip(path: Path, times: CameraTimes, clock: Clock, stop: Event) -> "ClipSource":
    """A recorded clip, over and over at its own pace.

    Raises:
        CameraError: FFmpeg cannot read it.
    """
    capture = _ffmpeg(str(path), times)
    if not capture.isOpened():
        capture.release()
        raise CameraError(
            f"{path} is neither a picture nor a clip that FFmpeg can read",
            remedy="Use .mp4, .avi, .mkv or .webm, or a .jpg or .png.",
        )
    return ClipSource(capture, clock, stop)


def _ffmpeg(target: str, times: CameraTimes) -> cv2.VideoCapture:
    return cv2.VideoCapture(
        target,
        cv2.CAP_FFMPEG,
        [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            int(times.open_timeout_s * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            int(times.read_timeout_s * 1000),
            # One thread decodes a till's stream with room to spare, and leaves the till its cores.
            cv2.CAP_PROP_N_THREADS,
            1,
        ],
    )


class CaptureSource:
    """A live capture: every picture is taken from the driver, those that are due are converted."""

    def __init__(self, capture: cv2.VideoCapture, clock: Clock, *, fps: float) -> None:
        self._capture = capture
        self._clock = clock
        self._gap_ns = int(_NS_PER_S / fps * _EARLY)
        self._due_ns = 0

    def read(self) -> Picture | None:
        """The next picture; None when it came too early to be wanted."""
        if not self._capture.grab():
            raise CameraError("the camera stopped sending pictures")
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + self._gap_ns
        return retrieve(self._capture, now_ns)

    def close(self) -> None:
        """Let the device or the connection go."""
        self._capture.release()


class ClipSource:
    """A clip that begins again when it is over."""

    def __init__(self, capture: cv2.VideoCapture, clock: Clock, stop: Event) -> None:
        self._capture = capture
        self._clock = clock
        self._stop = stop
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._gap_s = 1 / (fps if 0 < fps <= 240 else _CLIP_FPS)
        self._shown = 0

    def read(self) -> Picture | None:
        """The next picture at its time."""
        if self._shown:
            self._stop.wait(self._gap_s)
        if not self._capture.grab() and not self._rewind():
            raise CameraError("the clip has no picture that can be read")
        self._shown += 1
        return retrieve(self._capture, self._clock.monotonic_ns())

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _rewind(self) -> bool:
        return (
            self._shown > 0
            and bool(self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0))
            and bool(self._capture.grab())
        )


def retrieve(capture: cv2.VideoCapture, captured_ns: int) -> Picture:
    """The picture that was grabbed, in an array of its own.

    A new array per picture keeps the rule that nobody writes to a published one, and costs no more than
    buffers that are used in turn: the allocator hands the last freed one out again, warm.

    Raises:
        CameraError: The picture cannot be decoded.
    """
    try:
        ok, pixels = capture.retrieve()
    except cv2.error as error:
        raise CameraError("the camera sent a picture that cannot be decoded") from error
    if not ok or pixels is None or pixels.ndim != 3:
        raise CameraError("the camera sent a picture that cannot be decoded")
    return Picture(np.asarray(pixels, np.uint8), captured_ns)
