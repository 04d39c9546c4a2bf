"""Times the path from frame to three flavours in a process of its own, and prints the timings as JSON.

`hot`      back to back on one frame, in blocks that take turns with the bare `session.run`: what the path
           costs beyond its network, with caches warm for both.
`cadence`  one customer per 33 ms on frames that rotate: what a till sees. Between two customers the
           processor sleeps and the caches go cold, so this is the slower and the truer figure.
"""

import argparse
import gc
import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines.bare_session import BareSession
from benchmarks.pictures import camera_frames
from inference import Context, FlavourModel, fit_frame

_WIDTH, _HEIGHT = 640, 480
_BLOCK = 250
"""Calls per turn: long enough to be hot, short enough that slow drift of the machine meets both alike."""
_ROTATING_FRAMES = 49
"""45 MB of pixels, more than a till's caches hold; odd, so that every frame comes warmed up and cold."""
_NS_PER_MS = 1e6
_CONTEXT = Context(hour=15.5, weekday=5, temperature_c=27.0, shop="beach")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mode", choices=("hot", "cadence"), required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--period-s", type=float, default=0.033)
    parser.add_argument("--nice", type=int, default=0)
    args = parser.parse_args()
    scheduling = set_niceness(args.nice)
    model = FlavourModel.load(args.model)
    frames = camera_frames(args.model, _WIDTH, _HEIGHT, _ROTATING_FRAMES)
    gc.collect()
    gc.freeze()
    gc.disable()
    result = hot(model, args.model, frames[0], args.count) if args.mode == "hot" else None
    result = result or cadence(model, frames, args.count, args.period_s)
    print(json.dumps({"scheduling": scheduling, "series": result}))


def set_niceness(nice: int) -> str:
    """Take the niceness if the system allows it, and say in words what holds now."""
    if nice:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            return f"niceness {nice} refused (needs root or CAP_SYS_NICE), ran at {_niceness()}"
    return f"niceness {_niceness()}"


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def hot(model: FlavourModel, model_dir: Path, frame: NDArray[np.uint8], count: int) -> dict[str, list[float]]:
    """Milliseconds of `count` calls of the path and of its bare network, in turns."""
    network = model_dir / model.manifest.model.file
    bare = BareSession(network, fit_frame(frame, model.manifest.frame.size))
    calls: dict[str, Callable[[], object]] = {
        "path": lambda: model.recommend(frame, _CONTEXT),
        "bare": bare.run,
    }
    series: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(-1, count // _BLOCK):
        for name, call in calls.items():
            timings = _time_block(call)
            if turn >= 0:  # the first turn warms up
                series[name] += timings
    return series


def _time_block(call: Callable[[], object]) -> list[float]:
    timings = []
    for _ in range(_BLOCK):
        before = time.perf_counter_ns()
        call()
        timings.append((time.perf_counter_ns() - before) / _NS_PER_MS)
    return timings


def cadence(
    model: FlavourModel, frames: list[NDArray[np.uint8]], count: int, period_s: float
) -> dict[str, list[float]]:
    """Milliseconds of `count` customers with a warm-up at the trigger and as many without, in turns.

    `path` is frame to top-3 after the warm-up, `trigger` the same with the warm-up's own time, `cold` frame
    to top-3 where nothing ran before.
    """
    series: dict[str, list[float]] = {"path": [], "trigger": [], "cold": []}
    due = time.perf_counter()
    for number, frame in enumerate(itertools.islice(itertools.cycle(frames), 2 * count)):
        due += period_s
        time.sleep(max(due - time.perf_counter(), 0.0))
        warm = number % 2 == 0
        triggered = time.perf_counter_ns()
        if warm:
            model.warm_up()
        before = time.perf_counter_ns()
        model.recommend(frame, _CONTEXT)
        after = time.perf_counter_ns()
        series["path" if warm else "cold"].append((after - before) / _NS_PER_MS)
        if warm:
            series["trigger"].append((after - triggered) / _NS_PER_MS)
    return series


if __name__ == "__main__":
    main()
