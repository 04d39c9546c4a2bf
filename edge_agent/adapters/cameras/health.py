"""The state of one camera; each change is logged once, and the agent's tick tells subscribers of it."""

import logging
from threading import Lock

from daemon.log_fields import fields
from edge_agent.errors import CameraError
from edge_agent.ports import CameraState

_log = logging.getLogger(__name__)
_NEVER = -1


class CameraHealth:
    """How a camera is, from two facts: lost or not, and the newest picture's time. Safe from any thread."""

    def __init__(self, name: str, *, stale_after_ms: int) -> None:
        self._name = name
        self._stale_after_ns = stale_after_ms * 1_000_000
        self._lock = Lock()
        self._state = CameraState.STARTING
        self._newest_ns = _NEVER
        self._lost = False
        self.trouble: CameraError | None = None
        """Why the camera was lost the last time."""

    def picture(self, captured_ns: int, now_ns: int) -> None:
        """A picture arrived."""
        self._newest_ns = captured_ns
        self._lost = False
        self.state(now_ns)

    def lost(self, error: CameraError, now_ns: int) -> None:
        """The camera could not be opened, or disappeared."""
        self._lost = True
        self.trouble = error
        self.state(now_ns, error)

    def state(self, now_ns: int, error: CameraError | None = None) -> CameraState:
        """The state now; a change since the last look is logged once."""
        with self._lock:
            before, self._state = self._state, self._judge(now_ns)
            now = self._state
        if now is not before:
            self._tell(before, now, error)
        return now

    def _judge(self, now_ns: int) -> CameraState:
        if self._lost:
            return CameraState.AWAY
        if self._newest_ns == _NEVER:
            return CameraState.STARTING
        if now_ns - self._newest_ns > self._stale_after_ns:
            return CameraState.STALE
        return CameraState.LIVE

    def _tell(self, before: CameraState, now: CameraState, error: CameraError | None) -> None:
        facts = {"camera": self._name, "state": now.value, "before": before.value}
        if error is not None:
            facts |= {"reason": str(error), "remedy": error.remedy}
        level = logging.INFO if now is CameraState.LIVE else logging.WARNING
        _log.log(level, f"camera.{now.value}", extra=fields(**facts))
