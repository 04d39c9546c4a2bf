"""One request of a till: the agent with its camera running, against servers that are sent the picture.

All servers run at once and take turns in short blocks, so that the machine is the same for each; a server
that waits for its turn costs nothing, but the camera and the agent's reading of it go on all the time. Every
block is measured twice: one request per 33 ms, as customers come, and back to back, as servers like it best.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import lanes, reference, servers
from benchmarks.lanes import Alone, Lane
from benchmarks.machine import cpu_model
from benchmarks.measure import Spread, spread
from benchmarks.pictures import as_jpeg, camera_frames
from benchmarks.rows.in_process import bare_network_p50_ms
from benchmarks.setting import PEER_PYTHON, Outcome, Setting
from benchmarks.verdict import BaselineCheck, Figure, Goal

_WIDTH, _HEIGHT, _FPS = 1280, 720, 30.0
_NO_PEER = "optional, not installed: `make bench-peer` installs it into .venv-bench"


def request(setting: Setting) -> Outcome:
    """Measure the agent, FastAPI and, where it is installed, the peer."""
    outcome = Outcome()
    network_ms = bare_network_p50_ms(setting)
    small = as_jpeg(camera_frames(setting.model_dir, 640, 480, 1)[0])
    large = as_jpeg(camera_frames(setting.model_dir, _WIDTH, _HEIGHT, 1)[0])
    with contextlib.ExitStack() as stack:
        fastapi, variants = stack.enter_context(
            lanes.fastest(setting, lanes.FASTAPI, python=sys.executable, jpeg=small)
        )
        found = {"fastapi": lanes.picture_lane(fastapi, small)}
        outcome.details["fastapi_variants_p50_ms"] = variants
        if setting.peer != "none":
            peer, variants = stack.enter_context(
                lanes.fastest(setting, lanes.LITSERVE, python=str(PEER_PYTHON), jpeg=small)
            )
            found["litserve"] = lanes.picture_lane(peer, small)
            outcome.details["litserve_variants_p50_ms"] = variants
        setting.say("the baselines alone, against their references")
        alone = {name: lanes.alone(setting, lane) for name, lane in found.items()}
        outcome.baselines += list(_checks(alone, network_ms))
        lens = stack.enter_context(servers.camera(setting, width=_WIDTH, height=_HEIGHT, fps=_FPS))
        till = stack.enter_context(servers.agent(setting, camera_source=lens.url, fps=_FPS))
        found["agent"] = Lane(till, till.request("POST", "/v1/interactions", b"{}"), 201)
        found["fastapi_camera_size"] = lanes.picture_lane(fastapi, large)
        lanes.take_turns(setting, list(found.values()), setting.count(20, 2))
        costs = {name: lane.as_json() for name, lane in found.items()}
        outcome.details |= costs
        outcome.details["camera_jpeg_bytes"] = lens.announced["mean_jpeg_bytes"]
    outcome.details["alone_ms"] = {
        name: {"paced": series.paced.as_json(), "back_to_back": series.hot.as_json()}
        for name, series in alone.items()
    }
    outcome.details["network_p50_ms"] = round(network_ms, 4)
    outcome.figures += [*_own_figures(found), *_against_fastapi(found, alone), *_against_peer(found)]
    outcome.figures += _costs(found, costs)
    return outcome


def _checks(alone: dict[str, Alone], network_ms: float) -> Iterator[BaselineCheck]:
    """The statistics that the ratios use, against their references."""
    fastapi = alone["fastapi"].hot
    for statistic, value in (("p50", fastapi.p50), ("p99", fastapi.p99)):
        yield reference.check(
            reference.FASTAPI,
            statistic=statistic,
            measured_ms=value,
            network_p50_ms=network_ms,
            cpu=cpu_model(),
        )
    if "litserve" in alone:
        yield reference.check(
            reference.LITSERVE,
            statistic="p50",
            measured_ms=alone["litserve"].hot.p50,
            network_p50_ms=network_ms,
            cpu=cpu_model(),
        )


def _own_figures(found: dict[str, Lane]) -> Iterator[Figure]:
    """Judged back to back, as all servers' figures are commonly given; customers' pace stands below."""
    paced, hot = spread(found["agent"].paced), spread(found["agent"].hot)
    name = "POST /v1/interactions, 1280x720 camera at 30 fps: p50"
    yield Figure(name, hot.p50, "ms", Goal(1.5))
    yield Figure("  p99", hot.p99, "ms", Goal(4.0))
    yield Figure("  one per 33 ms: p50", paced.p50, "ms", None)
    yield Figure("  one per 33 ms: p99", paced.p99, "ms", None)


def _against_fastapi(found: dict[str, Lane], alone: dict[str, Alone]) -> Iterator[Figure]:
    """The goal is held against the camera's own picture; the rest shows all sides of it."""
    own, large, small = found["agent"], found["fastapi_camera_size"], found["fastapi"]
    name = "p99 over that of FastAPI, which gets the camera's JPEG"
    yield _ratio(name, own.hot, large.hot, "p99", Goal(0.6))
    yield _ratio("  one per 33 ms", own.paced, large.paced, "p99", None)
    yield _ratio("  FastAPI gets 640x480 only", own.hot, small.hot, "p99", None)
    yield _ratio("  FastAPI gets 640x480 only, one per 33 ms", own.paced, small.paced, "p99", None)
    hot = alone["fastapi"].hot
    note = f"FastAPI {_pair(hot)} ms"
    figure = spread(own.hot).p99 / hot.p99
    yield Figure("  FastAPI gets 640x480 only, no camera beside it", figure, "x", None, note)


def _against_peer(found: dict[str, Lane]) -> Iterator[Figure]:
    name = "p50 over that of LitServe, which gets a 640x480 JPEG"
    if "litserve" not in found:
        yield Figure(name, None, "x", Goal(0.35), _NO_PEER)
        return
    own, other = found["agent"], found["litserve"]
    yield _ratio(name, own.hot, other.hot, "p50", Goal(0.35))
    yield _ratio("  one per 33 ms", own.paced, other.paced, "p50", None)


def _ratio(name: str, own: list[float], other: list[float], statistic: str, goal: Goal | None) -> Figure:
    ours, theirs = spread(own), spread(other)
    return Figure(
        name, getattr(ours, statistic) / getattr(theirs, statistic), "x", goal, f"against {_pair(theirs)} ms"
    )


def _costs(found: dict[str, Lane], costs: dict[str, dict[str, Any]]) -> Iterator[Figure]:
    """What the servers take beside time."""
    for name in ("fastapi", "litserve"):
        if name in found:
            cost = costs[name]
            note = f"{cost['cpu_ms_per_request']:.1f} ms of processor time per request"
            server = found[name].server.name
            yield Figure(f"resident memory of {server}", cost["resident_mb"], "MB", None, note)


def _pair(series: Spread) -> str:
    return f"{series.p50:.2f}/{series.p99:.2f}"
