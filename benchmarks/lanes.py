"""Servers that take turns under the same client."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import servers
from benchmarks.http_client import time_requests
from benchmarks.measure import Spread, percentile, spread
from benchmarks.processes import cpu_seconds, resident_mb
from benchmarks.setting import Setting

_PERIOD_S = 0.033
_PACED, _HOT = 60, 100
"""Requests per block: two seconds, then a fraction of one."""
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Baseline:
    """A server of `benchmarks/baselines` and the two ways in which it may be run."""

    name: str
    module: str
    option: str
    choices: tuple[str, str]


FASTAPI = Baseline("FastAPI", "benchmarks.baselines.fastapi_server", "--handler", ("async", "sync"))
LITSERVE = Baseline("LitServe", "benchmarks.baselines.litserve_server", "--api-server", ("thread", "process"))


@dataclass(slots=True)
class Lane:
    """A server, what it is sent, and what it took (milliseconds)."""

    server: servers.Server
    request: bytes
    expect: int
    paced: list[float] = field(default_factory=list)
    hot: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def block(self, *, keep: bool) -> None:
        """One turn, over new connections: servers hang up on one that was silent for long."""
        before_s = cpu_seconds(self.server.process.pid)
        paced, hot = self.time(_PACED, paced=True), self.time(_HOT, paced=False)
        if keep:
            self.paced += paced
            self.hot += hot
            self.cpu_s += cpu_seconds(self.server.process.pid) - before_s

    def time(self, count: int, *, paced: bool) -> list[float]:
        """`count` requests, not kept."""
        period_s = _PERIOD_S if paced else 0.0
        with self.server.connect() as connection:
            time_requests(connection, self.request, _WARM_UP, expect=self.expect)
            return time_requests(connection, self.request, count, expect=self.expect, period_s=period_s)

    def as_json(self) -> dict[str, Any]:
        """Everything that was found out about this server.

        Processor time of the agent includes the reading of its camera, whose pictures come all the time.
        """
        return {
            "paced_ms": spread(self.paced).as_json(),
            "back_to_back_ms": spread(self.hot).as_json(),
            "cpu_ms_per_request": round(1e3 * self.cpu_s / (len(self.paced) + len(self.hot)), 3),
            "resident_mb": round(resident_mb(self.server.process.pid), 1),
            "sent_bytes": len(self.request),
        }


def picture_lane(server: servers.Server, jpeg: bytes) -> Lane:
    """A baseline that is sent this picture."""
    return Lane(server, server.request("POST", "/recommend", jpeg, "image/jpeg"), 200)


def take_turns(setting: Setting, lanes: list[Lane], rounds: int) -> None:
    """Measure all lanes in short blocks; each round begins with another, and the first is not kept."""
    for turn in range(-1, rounds):
        setting.say(f"round {turn + 1} of {rounds}, {len(lanes)} lanes" if turn >= 0 else "warming up")
        shift = turn % len(lanes)
        for lane in lanes[shift:] + lanes[:shift]:
            lane.block(keep=turn >= 0)


@dataclass(frozen=True, slots=True)
class Alone:
    """A lane with nothing beside it."""

    paced: Spread
    hot: Spread


def alone(setting: Setting, lane: Lane) -> Alone:
    """Measure a lane before the camera and the agent run; the references were measured back to back."""
    hot = spread(lane.time(setting.count(3000, 500), paced=False))
    return Alone(spread(lane.time(setting.count(400, 60), paced=True)), hot)


@contextlib.contextmanager
def fastest(
    setting: Setting, baseline: Baseline, *, python: str, jpeg: bytes
) -> Iterator[tuple[servers.Server, dict[str, float]]]:
    """The baseline in the variant that answers faster here, and the medians (ms) of both, tried in turns."""
    with contextlib.ExitStack() as stack:
        stacks = {choice: stack.enter_context(contextlib.ExitStack()) for choice in baseline.choices}
        lanes = {
            choice: picture_lane(
                stacks[choice].enter_context(
                    servers.announced(
                        setting, baseline.name, python, baseline.module, [baseline.option, choice]
                    )
                ),
                jpeg,
            )
            for choice in baseline.choices
        }
        for turn in range(-1, setting.count(6, 2)):
            for lane in lanes.values():
                timings = lane.time(_HOT, paced=False)
                lane.hot += timings if turn >= 0 else []
        medians = {choice: percentile(lane.hot, 0.5) for choice, lane in lanes.items()}
        best = min(medians, key=medians.__getitem__)
        for choice in baseline.choices:
            if choice != best:
                stacks[choice].close()
        told = ", ".join(f"{choice} {median:.3f} ms" for choice, median in medians.items())
        setting.say(f"{baseline.name}: {told}; keeping {best}")
        yield lanes[best].server, medians
