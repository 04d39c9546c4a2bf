"""One thread per camera that keeps only its newest picture, and opens it again when it is lost."""

import logging
import random
from threading import Event, Thread

from daemon.log_fields import fields
from edge_agent.adapters.cameras.health import CameraHealth
from edge_agent.adapters.cameras.source import Opener, Source
from edge_agent.adapters.cameras.thread_priority import yield_to_requests
from edge_agent.backoff import Backoff
from edge_agent.camera_spec import CameraTimes
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.ports import CameraState, Clock, Frame

_log = logging.getLogger(__name__)
_JOIN_S = 1.8
_STEADY_NS = 10_000_000_000
"""A camera that held for this long is retried at once the next time; one that flaps is not."""


class Grabber:
    """A `Camera` over any source that is read in a loop.

    A hanging driver cannot hang the agent: `latest` and `state` only look, `close` waits at most two
    seconds and leaves a thread behind that cannot outlive the process.
    """

    def __init__(
        self,
        name: str,
        open_source: Opener,
        *,
        settings: CameraConfig,
        times: CameraTimes,
        clock: Clock,
    ) -> None:
        self._name = name
        self._open_source = open_source
        self._clock = clock
        self._backoff = Backoff(times.first_retry_s, times.longest_retry_s)
        self._health = CameraHealth(name, stale_after_ms=settings.max_age_ms)
        self._silence_ns = int(times.read_timeout_s * 1e9)
        self._stop = Event()
        self._frame: Frame | None = None
        self._sequence = 0
        self._thread = Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def latest(self) -> Frame | None:
        """The newest picture, however old; None before the first."""
        return self._frame

    def state(self) -> CameraState:
        """What to show on a health page."""
        return self._health.state(self._clock.monotonic_ns())

    def trouble(self) -> CameraError | None:
        """Why the camera was away the last time; None if it never was."""
        return self._health.trouble

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            _log.warning("camera.hangs", extra=fields(camera=self._name))

    def _run(self) -> None:
        yield_to_requests()
        attempt = 0
        while not self._stop.is_set():
            opened_ns = self._clock.monotonic_ns()
            try:
                self._read_until_lost(self._open_source(self._stop))
            except CameraError as error:
                self._health.lost(error, self._clock.monotonic_ns())
            except Exception as error:  # noqa: BLE001 - the thread's last resort
                # A fault of ours must not take the camera away for good: it is told, and tried again.
                _log.exception("camera.failed", extra=fields(camera=self._name))
                self._health.lost(
                    CameraError(f"{type(error).__name__} in the agent"), self._clock.monotonic_ns()
                )
            held = self._clock.monotonic_ns() - opened_ns > _STEADY_NS
            attempt = 0 if held else attempt + 1
            chance = random.random()  # noqa: S311 - jitter, no secret
            self._stop.wait(self._backoff.delay_s(max(0, attempt - 1), chance))

    def _read_until_lost(self, source: Source) -> None:
        """Publish pictures until the camera is closed. Raises CameraError when it is lost."""
        try:
            heard_ns = self._clock.monotonic_ns()
            while not self._stop.is_set():
                picture = source.read()
                now_ns = self._clock.monotonic_ns()
                if picture is not None:
                    heard_ns = now_ns
                    self._sequence += 1
                    # One reference is replaced: readers have the old picture or the new one, never a mixture.
                    self._frame = Frame(picture.pixels, picture.captured_ns, self._sequence)
                    self._health.picture(picture.captured_ns, now_ns)
                elif now_ns - heard_ns > self._silence_ns:
                    raise CameraError(f"no picture for {self._silence_ns / 1e9:.0f} s")
                else:
                    self._health.state(now_ns)
        finally:
            source.close()
