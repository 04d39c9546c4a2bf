from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.config import ArmsConfig, EdgeConfig
from edge_agent.impression import Source
from edge_agent.model_slot import ModelSlot
from edge_agent.replay import Replay, ReplayCamera, ReplayClock
from inference import FlavourModel
from tests.builders.records import StandingClock
from tests.builders.tiny_model import build_model_dir, painted_frame

NOBODY = np.zeros((480, 640, 3), np.uint8)
MANGO = painted_frame("mango")
LEMON = painted_frame("lemon")


@dataclass(frozen=True)
class Picture:
    at_s: float
    pixels: NDArray[np.uint8]


def film(*scenes: tuple[float, NDArray[np.uint8]], fps: float = 10.0) -> Iterator[Picture]:
    """Scenes of so many seconds, one after the other."""
    index = 0
    for seconds, pixels in scenes:
        for _ in range(round(seconds * fps)):
            yield Picture(index / fps, pixels)
            index += 1


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("model"))


@pytest.fixture
def replay(model_dir: Path) -> Replay:
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    slot.put(FlavourModel.load(model_dir), model_dir)
    arms = ArmsConfig(explore=0, bestsellers=0)
    config = EdgeConfig(tenant="gelateria-sole", store="s", register="r", arms=arms)
    return Replay(config, slot, StandingClock())


def test_two_customers_on_a_clip_are_two_visits(replay: Replay) -> None:
    clip = film((2, NOBODY), (4, MANGO), (4, NOBODY), (4, LEMON), (4, NOBODY))
    visits = list(replay.by_presence(clip))
    assert [visit.impression.slate[0].flavour for visit in visits] == ["mango", "lemon"]
    assert [visit.impression.source for visit in visits] == [Source.MODEL] * 2
    assert [visit.at_s for visit in visits] == pytest.approx([2.4, 10.4])
    assert [visit.until_s for visit in visits] == pytest.approx([8.0, 16.0])


def test_a_customer_who_stays_to_the_end_has_no_end(replay: Replay) -> None:
    [visit] = replay.by_presence(film((1, NOBODY), (3, MANGO)))
    assert visit.until_s is None


def test_a_clip_with_no_people_opens_nothing(replay: Replay) -> None:
    assert list(replay.by_presence(film((10, NOBODY)))) == []
    assert replay.tally.somebody == 0
    assert replay.tally.looked_at == 50, "five times a second, at ten pictures a second"
    assert replay.tally.pictures == 100


def test_every_nth_picture_is_answered_whoever_is_there(replay: Replay) -> None:
    visits = list(replay.every(film((1, NOBODY), (1, MANGO)), count=5))
    assert [visit.at_s for visit in visits] == pytest.approx([0.0, 0.5, 1.0, 1.5])
    sources = [visit.impression.source for visit in visits]
    assert sources == [Source.BESTSELLERS] * 2 + [Source.MODEL] * 2
    assert replay.tally.somebody == 2


def test_two_replays_of_one_clip_are_the_same(model_dir: Path) -> None:
    """Arms are drawn by the interaction's id, so ids are repeatable too."""
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    slot.put(FlavourModel.load(model_dir), model_dir)
    config = EdgeConfig(tenant="gelateria-sole", store="s", register="r")
    runs = [
        [
            (visit.impression.interaction_id, visit.impression.arm)
            for visit in Replay(config, slot, StandingClock()).every(film((4, MANGO)), count=1)
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len({arm for _, arm in runs[0]}) > 1


def test_the_clock_shows_the_clips_time_plus_what_things_take() -> None:
    real = StandingClock()
    clock = ReplayClock(real)
    real.advance(5000)  # reading the file
    clock.show(2.0)
    assert clock.monotonic_ns() == 2_000_000_000
    real.advance(3)
    assert clock.monotonic_ns() == 2_003_000_000
    assert clock.now_ms() == real.ms - 5003 + 2003


def test_the_clock_never_goes_back() -> None:
    """Not even where a look took longer than the gap to the next picture."""
    real = StandingClock()
    clock = ReplayClock(real)
    clock.show(1.0)
    real.advance(200)
    late = clock.monotonic_ns()
    clock.show(1.1)
    assert clock.monotonic_ns() == late


def test_the_camera_is_starting_until_it_was_shown_something() -> None:
    camera = ReplayCamera(StandingClock())
    assert (camera.latest(), camera.state()) == (None, "starting")
    camera.show(MANGO)
    frame = camera.latest()
    assert frame is not None
    assert (frame.sequence, camera.state()) == (1, "live")
