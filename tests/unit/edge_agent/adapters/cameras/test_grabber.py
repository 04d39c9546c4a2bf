import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event

import numpy as np
import pytest

from edge_agent.adapters.cameras.grabber import Grabber
from edge_agent.adapters.cameras.source import Picture, Source
from edge_agent.adapters.clock import SystemClock
from edge_agent.camera_spec import CameraTimes
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.ports import CameraState

TIMES = CameraTimes(read_timeout_s=0.2, first_retry_s=0.001, longest_retry_s=0.002)


class Script:
    """A source that does what is put into its queue; nothing in it: no picture."""

    def __init__(self) -> None:
        self.todo: Queue[Picture | Exception] = Queue()
        self.closed = 0

    def read(self) -> Picture | None:
        if self.todo.empty():
            time.sleep(0.005)
            return None
        item = self.todo.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.closed += 1


def picture(value: int = 0) -> Picture:
    return Picture(np.full((4, 6, 3), value, np.uint8), time.monotonic_ns())


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; pytest's own timeout ends a wait that would never end."""
    while not condition():
        time.sleep(0.002)


@contextmanager
def grabbing(open_source: Callable[[Event], Source]) -> Iterator[Grabber]:
    grabber = Grabber("test", open_source, settings=CameraConfig(), times=TIMES, clock=SystemClock())
    try:
        yield grabber
    finally:
        grabber.close()


def test_only_the_newest_picture_is_kept() -> None:
    script = Script()
    for value in range(5):
        script.todo.put(picture(value))
    with grabbing(lambda _: script) as grabber:
        until(lambda: (frame := grabber.latest()) is not None and frame.sequence == 5)
        frame = grabber.latest()
        assert frame is not None
        assert frame.pixels.max() == 4
        assert grabber.state() is CameraState.LIVE


def test_a_camera_that_cannot_be_opened_is_tried_again_until_it_can() -> None:
    script = Script()
    attempts: list[None] = []

    def open_source(_: Event) -> Source:
        attempts.append(None)
        if len(attempts) < 4:
            raise CameraError("not yet")
        return script

    script.todo.put(picture())
    with grabbing(open_source) as grabber:
        until(lambda: grabber.state() is CameraState.LIVE)
        assert len(attempts) == 4
        assert str(grabber.trouble()) == "not yet"


def test_a_camera_that_disappears_mid_stream_is_away_and_opened_again() -> None:
    """The last picture stays readable meanwhile: its age tells the agent not to use it."""
    first, second, may_open = Script(), Script(), Event()
    scripts = iter([first, second])

    def open_source(stop: Event) -> Source:
        source = next(scripts)
        if source is second:
            may_open.wait()
        return source

    with grabbing(open_source) as grabber:
        first.todo.put(picture(1))
        until(lambda: grabber.latest() is not None)
        first.todo.put(CameraError("unplugged"))
        until(lambda: grabber.state() is CameraState.AWAY)
        assert first.closed == 1
        assert grabber.latest() is not None
        second.todo.put(picture(2))
        may_open.set()
        until(lambda: grabber.state() is CameraState.LIVE)


def test_silence_beyond_the_timeout_is_a_lost_camera() -> None:
    script = Script()
    with grabbing(lambda _: script) as grabber:
        script.todo.put(picture())
        until(lambda: script.closed > 0)
        assert "no picture" in str(grabber.trouble())


def test_a_fault_of_ours_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    script = Script()
    script.todo.put(ZeroDivisionError("a bug"))
    script.todo.put(picture())
    with grabbing(lambda _: script) as grabber:
        until(lambda: grabber.state() is CameraState.LIVE)
    assert "a bug" in caplog.text


def test_a_published_picture_is_never_written_again() -> None:
    """Whoever keeps a picture keeps what was on it, however many come after."""
    script = Script()
    with grabbing(lambda _: script) as grabber:
        script.todo.put(picture(7))
        until(lambda: grabber.latest() is not None)
        kept = grabber.latest()
        assert kept is not None
        for value in range(20):
            script.todo.put(picture(value))
        until(script.todo.empty)
        assert (kept.pixels == 7).all()


def test_closing_ends_the_thread_and_may_be_repeated() -> None:
    script = Script()
    with grabbing(lambda _: script) as grabber:
        until(lambda: any(thread.name == "camera" for thread in threading.enumerate()))
        grabber.close()
        assert script.closed == 1
        grabber.close()


def test_a_hanging_driver_does_not_hang_the_agent(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.adapters.cameras.grabber._JOIN_S", 0.05)
    hang = Event()

    def open_source(_: Event) -> Source:
        hang.wait()
        raise CameraError("too late")

    with grabbing(open_source) as grabber:
        assert grabber.latest() is None
        assert grabber.state() is CameraState.STARTING
        grabber.close()
        assert "camera.hangs" in caplog.text
        hang.set()
