"""Two collectors on the shared subscription against one, where not the processor but the store is slow."""

import contextlib
from statistics import median

from benchmarks import cloud_stack
from benchmarks.setting import Outcome, Setting
from benchmarks.till import Till, frames
from benchmarks.verdict import Figure, Goal

_PUT_MS = 20.0
_IN_FLIGHT = 2
"""Frames that one collector may have in work. At 20 ms a put that bounds it to fewer than 100 frames a
second, a few percent of a core: what the second one adds is not taken from the first one's processor time."""
_BOUNDS = {"in_flight": _IN_FLIGHT, "batch_max": _IN_FLIGHT}
"""A transaction waits for no more messages than there may be."""
_WINDOW = 64
"""Frames under way: the broker always has some waiting for each collector."""


def scaling(setting: Setting) -> Outcome:
    """One, then two, then one again, and so on, over the same broker and database."""
    outcome = Outcome()
    sender = cloud_stack.new_sender()
    per_s: dict[int, list[float]] = {1: [], 2: []}
    with (
        cloud_stack.stand_in(setting.work_dir / "slow-store", _PUT_MS) as s3,
        cloud_stack.stack(setting, "scaling", s3, sender) as cloud,
        Till(cloud, sender) as till,
        cloud.collector(**_BOUNDS),
    ):
        setting.say(f"puts of {_PUT_MS:g} ms, {_IN_FLIGHT} frames in flight in each collector")
        for _ in range(setting.count(5, 1)):
            for collectors in (1, 2):
                with cloud.collector(**_BOUNDS) if collectors == 2 else contextlib.nullcontext():
                    till.deliver(frames(sender, _WINDOW), window=_WINDOW)
                    count = setting.count(300, 100) * collectors
                    per_s[collectors].append(count / till.deliver(frames(sender, count), window=_WINDOW))
    outcome.details["frames_per_s"] = {str(many): values for many, values in per_s.items()}
    one, two = median(per_s[1]), median(per_s[2])
    outcome.figures.append(
        Figure(
            "two collectors' frames per second over one's, 20 ms a put",
            two / one,
            "x",
            Goal(1.9, at_least=True),
            f"{two:.0f} over {one:.0f} per second, {_IN_FLIGHT} in flight each",
        )
    )
    return outcome
