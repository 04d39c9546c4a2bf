"""From the configuration's `[camera]` to a running camera."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from edge_agent.adapters.cameras.frame_ring_camera import FrameRingCamera
from edge_agent.adapters.cameras.grabber import Grabber
from edge_agent.adapters.cameras.source import Source
from edge_agent.adapters.memory import hold_back
from edge_agent.camera_spec import PICTURE_SUFFIXES, CameraKind, CameraSpec, CameraTimes
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.ports import Clock

_TIMES = CameraTimes()


def open_camera(
    spec: CameraSpec,
    *,
    settings: CameraConfig,
    clock: Clock,
    model_dir: Path | None = None,
    times: CameraTimes = _TIMES,
) -> Grabber | FrameRingCamera:
    """Start a camera; it is opened in its own thread, so this returns at once and never fails.

    A camera that is not there is `away`, and tried again until it is.

    Args:
        spec: What `parse_camera_spec` made of `settings.source`.
        settings: Size, pace, and the age from which a picture is stale.
        clock: Stamps the pictures.
        model_dir: Where plain `synthetic:` finds golden frames.
        times: How long to wait for what.
    """
    hold_back()
    if spec.kind is CameraKind.RING:
        return FrameRingCamera(Path(spec.target), settings=settings, clock=clock)
    opener = _SourceOpener(spec, settings, clock, model_dir, times)
    return Grabber(str(spec), opener, settings=settings, times=times, clock=clock)


@dataclass(frozen=True)
class _SourceOpener:
    """Opens the same source again and again.

    Each kind imports its adapter when it is opened, in the camera's thread: a till has one camera, and
    neither its memory nor its start pays for the others' libraries.
    """

    spec: CameraSpec
    settings: CameraConfig
    clock: Clock
    model_dir: Path | None
    times: CameraTimes

    def __call__(self, stop: Event) -> Source:
        match self.spec.kind:
            case CameraKind.MJPEG:
                from edge_agent.adapters.cameras.mjpeg_source import open_mjpeg

                return open_mjpeg(self.spec, self.settings, self.times, self.clock)
            case CameraKind.GOLDEN:
                from edge_agent.adapters.cameras.golden_camera import GoldenSource

                return GoldenSource(self.model_dir, self.clock, stop, fps=self.settings.fps)
            case CameraKind.FILE:
                return self._file(Path(self.spec.target), stop)
            case _:
                return self._capture()

    def _capture(self) -> Source:
        from edge_agent.adapters.cameras.capture_source import open_device, open_stream

        if self.spec.kind is CameraKind.DEVICE:
            return open_device(self.spec, self.settings, self.clock)
        return open_stream(self.spec, self.settings, self.times, self.clock)

    def _file(self, path: Path, stop: Event) -> Source:
        from edge_agent.adapters.cameras.capture_source import open_clip
        from edge_agent.adapters.cameras.picture_source import PictureSource, pictures_in

        if path.is_dir():
            return PictureSource(pictures_in(path), self.clock, stop, fps=self.settings.fps)
        if not path.is_file():
            raise CameraError(f"there is no {path}", remedy="Check the path; ~ is not expanded.")
        if path.suffix.lower() in PICTURE_SUFFIXES:
            return PictureSource([path], self.clock, stop, fps=self.settings.fps)
        return open_clip(path, self.times, self.clock, stop)
