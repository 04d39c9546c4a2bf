"""A till's requests while its model is fetched, tried and exchanged, over those before."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import release_stack, servers
from benchmarks.measure import in_windows, percentile, spread
from benchmarks.open_loop import Answered, OpenLoop
from benchmarks.processes import ProgramError
from benchmarks.release_stack import ReleaseStack, UpdatingAgent
from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.verdict import Figure, Goal

_RATE_HZ = 100
_QUIET_S = 3.0
"""Before each order, and part of it what the update is compared with."""
_SETTLE_S = 1.0
"""After a trial's end, before the quiet counts: what was left is cleared away."""
_AFTER_S = 0.1
_CHUNK_S = 10.0
"""Connections are made anew so often."""
_LOOK_EVERY_S = 0.2
"""Whether a step was reached; the client's process shares the agent's core."""
_CAMERA = (640, 480, 15.0)
_CREATED = 201

Window = tuple[float, float]


def request_p99(setting: Setting) -> Outcome:
    """A hundred requests a second, and a new release every few seconds.

    Agent and client share one core; the updater, the camera and the far end have the others.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise NotRunError("it needs two cores: one for agent and client, one for the updater and the far end")
    count, load = setting.count(30, 3), release_stack.load()
    try:
        os.sched_setaffinity(0, cores[1:])  # what is started from here on inherits it
        width, height, fps = _CAMERA
        with (
            release_stack.stack(setting, "requests") as far_end,
            servers.camera(setting, width=width, height=height, fps=fps) as lens,
        ):
            for number in range(1, count + 2):
                far_end.release(number)
            os.sched_setaffinity(0, cores[:1])
            with release_stack.agent(
                setting, far_end, camera_source=lens.url, fps=fps, updater_core=cores[1]
            ) as till:
                setting.say(f"{count} updates at {_RATE_HZ} requests a second")
                answers, updates = _load_and_update(till, far_end, count)
    finally:
        os.sched_setaffinity(0, cores)
    return told(answers, updates, load)


def told(answers: list[Answered], updates: list[dict[str, Window]], load: str) -> Outcome:
    """The figures: latencies in the windows of all updates together."""
    timed = [(answer.due_s, answer.latency_ms) for answer in answers]
    failed = [answer for answer in answers if answer.status != _CREATED]
    found = {name: spread(in_windows(timed, [one[name] for one in updates])) for name in updates[0]}
    before, during = found["before"], found["during"]
    each = [
        percentile(in_windows(timed, [one["during"]]), 0.99)
        / percentile(in_windows(timed, [one["before"]]), 0.99)
        for one in updates
    ]
    note = f"{during.p99:.2f} ms ({during.count} requests) over {before.p99:.2f} ms ({before.count}); {load}"
    figures = [
        Figure(
            "POST /v1/interactions during fetch, preflight and swap: p99 over before",
            during.p99 / before.p99,
            "x",
            Goal(1.5),
            note,
        ),
        Figure("  p50 over before", during.p50 / before.p50, "x"),
        Figure(
            "  p99 over before, each update for itself: median",
            percentile(each, 0.5),
            "x",
            note="says more than the first line on a machine on which others work in bursts",
        ),
        Figure("  requests that failed", float(len(failed)), f"of {len(answers)}", Goal(0)),
    ]
    figures += [
        Figure(f"  p99 during {name} over before", one.p99 / before.p99, "x", note=f"{one.count} requests")
        for name, one in found.items()
        if name not in {"before", "during"}
    ]
    details: dict[str, object] = {
        "ms": {name: one.as_json() for name, one in found.items()},
        "each": [round(one, 3) for one in each],
        "updates": len(updates),
        "update_s": percentile([end - begin for begin, end in (one["during"] for one in updates)], 0.5),
        "load": load,
    }
    return Outcome(figures=figures, details=details)


def _load_and_update(
    till: UpdatingAgent, far_end: ReleaseStack, count: int
) -> tuple[list[Answered], list[dict[str, Window]]]:
    """All answers, and the windows of each update but the first (time.perf_counter())."""
    request = till.server.request("POST", "/v1/interactions", b"{}")
    answers: list[Answered] = []
    over = threading.Event()
    with ThreadPoolExecutor(1, "load") as pool:
        loading = pool.submit(_load, till, request, answers, over)
        try:
            updates = [_update(till, far_end, number) for number in range(1, count + 2)]
        finally:
            over.set()
        loading.result()
    return answers, updates[1:]


def _load(till: UpdatingAgent, request: bytes, answers: list[Answered], over: threading.Event) -> None:
    while not over.is_set():
        answers += OpenLoop(
            *till.server.address, request, rate_hz=_RATE_HZ, seconds=_CHUNK_S, connections=4
        ).run()


def _update(till: UpdatingAgent, far_end: ReleaseStack, number: int) -> dict[str, Window]:
    time.sleep(_SETTLE_S)
    offset_s = time.perf_counter() - time.time()
    quiet_s = time.perf_counter()
    time.sleep(_QUIET_S)
    begun_s = far_end.order(number)
    reached = till.reached("agent.SWAPPED", begun_s, look_every_s=_LOOK_EVERY_S)
    far_end.until_good(number)
    if till.in_use() != number:
        raise ProgramError(f"release {number} was good, and the local API shows another one")
    windows = {"before": (quiet_s, begun_s + offset_s)}
    for name, first, last in (
        ("during", None, "agent.SWAPPED"),
        ("the updater's start", None, "updater.TRUST_ROOT"),
        ("fetch", "updater.TRUST_ROOT", "updater.WRITE_MANIFEST"),
        ("preflight", "updater.WRITE_MANIFEST", "updater.REPORT"),
        ("swap", "updater.REPORT", "agent.SWAPPED"),
    ):
        after_s = _AFTER_S if last == "agent.SWAPPED" else 0.0
        first_s = begun_s if first is None else reached[first]
        windows[name] = (first_s + offset_s, reached[last] + offset_s + after_s)
    return windows
