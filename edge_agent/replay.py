"""A recorded clip through the very same agent: only camera, clock and journal are stand-ins."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from edge_agent.agent import Agent
from edge_agent.config import EdgeConfig
from edge_agent.impression import Impression, Reason
from edge_agent.memory_journal import MemoryJournal
from edge_agent.model_slot import ModelSlot
from edge_agent.outcomes import RECEIPT_KEY_BYTES
from edge_agent.ports import CameraState, Clock, Frame
from edge_agent.presence import PresenceState
from edge_agent.presence_loop import PresenceWatch

_NS_PER_S = 1_000_000_000
_ROUNDING_S = 1e-6
"""0.1 + 0.2 > 0.3: a picture that is due at its very time shall not wait for the next one."""


class Shown(Protocol):
    """A picture of a clip, and when it stands there."""

    @property
    def at_s(self) -> float:
        """Seconds since the clip began."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """BGR [H, W, 3]."""


class ReplayClock:
    """The clip's time, on which the time that the agent really takes is added, so that latencies are true."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._began_ms = real.now_ms()
        self._local = real.local()
        self._shown_ns = self._last_ns = 0
        self._real_ns = real.monotonic_ns()

    def show(self, at_s: float) -> None:
        """The picture of this second is on; the clock never goes back for it."""
        self._shown_ns = max(self._last_ns, int(at_s * _NS_PER_S))
        self._real_ns = self._real.monotonic_ns()

    def now_ms(self) -> int:
        """When it is in the clip, as if the clip had begun with the replay."""
        return self._began_ms + self.monotonic_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds since the clip began; reading the clip itself takes none of them."""
        elapsed_ns = self._real.monotonic_ns() - self._real_ns
        self._last_ns = max(self._last_ns, self._shown_ns + elapsed_ns)
        return self._last_ns

    def local(self) -> tuple[float, int]:
        """Hour and weekday of the replay's start."""
        return self._local


class PictureClock:
    """The time of the picture that is on: what is decided by it comes out alike on slow and fast machines."""

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock
        self._shown_ns = 0

    def show(self, at_s: float) -> None:
        """The picture of this second is on; in whole milliseconds, as decisions are."""
        self._shown_ns = round(at_s * 1000) * (_NS_PER_S // 1000)

    def monotonic_ns(self) -> int:
        """Nanoseconds since the clip began."""
        return self._shown_ns

    def now_ms(self) -> int:
        """As `ReplayClock.now_ms`."""
        return self._clock.now_ms()

    def local(self) -> tuple[float, int]:
        """As `ReplayClock.local`."""
        return self._clock.local()


class ReplayCamera:
    """Shows what it is told to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._frame: Frame | None = None
        self._count = 0

    def show(self, pixels: NDArray[np.uint8]) -> None:
        """This is the newest picture now."""
        self._count += 1
        self._frame = Frame(pixels, self._clock.monotonic_ns(), self._count)

    def latest(self) -> Frame | None:
        """The newest picture."""
        return self._frame

    def state(self) -> CameraState:
        """Live from the first picture on."""
        return CameraState.STARTING if self._frame is None else CameraState.LIVE

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class _Silent:
    """An event sink that remembers who left."""

    left: list[str] = field(default_factory=list)

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        if kind == "expired":
            self.left.append(str(data["interaction_id"]))


class _Repeatable:
    """Randomness that is the same in every replay, so that arms are too."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(b"replay %d" % self._count).digest(length)


@dataclass
class Visit:
    """One recommendation of a replay; `until_s` is None where nobody was seen to leave."""

    at_s: float
    impression: Impression
    until_s: float | None = None


@dataclass
class Tally:
    """What a replay came across beside its visits."""

    pictures: int = 0
    looked_at: int = 0
    somebody: int = 0
    seconds: float = 0.0
    look_ms: list[float] = field(default_factory=list)


class Replay:
    """An agent whose camera is a clip.

    Args:
        config: Arms, presence and the rest; nothing of its folders, ports and camera is touched.
        model_slot: Holds the model.
        clock: The real one, for the time that things take.
    """

    def __init__(self, config: EdgeConfig, model_slot: ModelSlot, clock: Clock) -> None:
        self._config = config
        self._clock = ReplayClock(clock)
        self._picture_clock = PictureClock(self._clock)
        self._camera = ReplayCamera(self._clock)
        self._events = _Silent()
        randomness = _Repeatable()
        self._agent = Agent(
            config=config,
            camera=self._camera,
            model_slot=model_slot,
            journal=MemoryJournal(self._clock, randomness),
            clock=self._clock,
            events=self._events,
            randomness=randomness,
            receipt_key=bytes(RECEIPT_KEY_BYTES),
        )
        self.tally = Tally()

    def by_presence(self, pictures: Iterable[Shown]) -> Iterator[Visit]:
        """Open and close interactions as the presence mode does; a visit is yielded when it begins."""
        watch = PresenceWatch(
            self._agent, config=self._config.presence, clock=self._picture_clock, events=self._events
        )
        open_visits: dict[UUID, Visit] = {}
        due_s = 0.0
        for picture in self._show(pictures):
            if picture.at_s < due_s - _ROUNDING_S:
                continue
            due_s = picture.at_s + self._config.presence.check_every_ms / 1000
            before_ns = self._clock.monotonic_ns()
            impression = watch.look()
            self.tally.looked_at += 1
            self.tally.somebody += watch.state in {PresenceState.ARRIVING, PresenceState.PRESENT}
            for left in self._events.left:
                open_visits[UUID(left)].until_s = picture.at_s
            self._events.left.clear()
            if impression is None:
                self.tally.look_ms.append((self._clock.monotonic_ns() - before_ns) / 1e6)
            else:
                visit = open_visits[impression.interaction_id] = Visit(picture.at_s, impression)
                yield visit

    def every(self, pictures: Iterable[Shown], count: int) -> Iterator[Visit]:
        """Recommend on the first picture and every `count` after it, whoever is there."""
        for picture in self._show(pictures):
            if (self.tally.pictures - 1) % count:
                continue
            self._agent.warm_up()
            impression = self._agent.open_interaction()
            self._agent.close_interaction(impression.interaction_id)
            self.tally.looked_at += 1
            self.tally.somebody += impression.reason is not Reason.NOBODY
            yield Visit(picture.at_s, impression)

    def _show(self, pictures: Iterable[Shown]) -> Iterator[Shown]:
        for picture in pictures:
            self._clock.show(picture.at_s)
            self._picture_clock.show(picture.at_s)
            self._camera.show(picture.pixels)
            self.tally.pictures += 1
            self.tally.seconds = picture.at_s
            yield picture
