"""`POST /v1/uploads` at two hundred a second: one process of the API on one core, all else on the other."""

import contextlib
from collections import Counter

from benchmarks.api_stack import ApiStack, need_postgres
from benchmarks.cores import everything_on, there, two_or_more
from benchmarks.cpu_clock import cpu_us
from benchmarks.measure import Spread, spread
from benchmarks.open_loop import Answered, OpenLoop
from benchmarks.phone import Phone
from benchmarks.pictures import as_jpeg, camera_frames
from benchmarks.processes import cpu_seconds
from benchmarks.release_stack import load
from benchmarks.servers import new_folder
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_TENANT = "gelateria-sole"
_RATE_HZ = 200.0
_CONNECTIONS = 64
_LIMITS = {"uploads_per_minute": 1_000_000, "requests_per_minute": 10_000_000, "uploads_per_day": 100_000_000}
_ANOTHER_RATE_HZ = 100.0
_CREATED = 201


def signed_url(setting: Setting) -> Outcome:
    """Each request is authenticated, counted, written and signed; nothing of it is kept between requests."""
    outcome, busy = Outcome(), load()
    need_postgres()
    cores = two_or_more()
    picture = as_jpeg(camera_frames(setting.model_dir, 640, 480, 1)[0])
    folder = new_folder(setting.work_dir, "signed-url") / "stack"
    stack = ApiStack(folder, [_TENANT], _TENANT, public_api=_LIMITS)
    with contextlib.ExitStack() as opened:
        opened.enter_context(stack)
        opened.enter_context(everything_on(cores[1:]))
        process = opened.enter_context(there(cores[0], stack.service("api")))
        phone = opened.enter_context(
            Phone(stack.api_port, stack.host(_TENANT), stack.bearer(_TENANT, "anna"))
        )
        request = phone.begin(picture)
        _run(stack, request, _ANOTHER_RATE_HZ, 2.0)  # warms up
        answered: list[Answered] = []
        api_us, server_s = cpu_us(process.pid), cpu_seconds(stack.cluster.pid)
        rounds, seconds = setting.count(4, 2), setting.count(10, 4)
        by_round = []
        for number in range(rounds):
            setting.say(f"round {number + 1} of {rounds}")
            some = _run(stack, request, _RATE_HZ, seconds)
            by_round.append(spread([one.latency_ms for one in some]))
            answered += some
        api_us = (cpu_us(process.pid) - api_us) / len(answered)
        server_us = 1e6 * (cpu_seconds(stack.cluster.pid) - server_s) / len(answered)
    _tell(outcome, answered, by_round, busy)
    outcome.figures += [
        Figure("  processor time a request, the API's process: mean", api_us, "µs"),
        Figure("  processor time a request, PostgreSQL: mean", server_us, "µs"),
        Figure("  core that the API takes for it", 100 * _RATE_HZ * api_us / 1e6, "%"),
    ]
    return outcome


def _run(stack: ApiStack, request: bytes, rate_hz: float, seconds: float) -> list[Answered]:
    loop = OpenLoop(
        "127.0.0.1", stack.api_port, request, rate_hz=rate_hz, seconds=seconds, connections=_CONNECTIONS
    )
    return loop.run()


def _tell(outcome: Outcome, answered: list[Answered], by_round: list[Spread], busy: str) -> None:
    statuses = Counter(one.status for one in answered)
    errors = len(answered) - statuses[_CREATED]
    whole = spread([one.latency_ms for one in answered])
    p99s = ", ".join(f"{one.p99:.0f}" for one in by_round)
    note = f"p50 {whole.p50:.1f}, worst {whole.worst:.0f} of {whole.count}; p99 by round {p99s}; {busy}"
    wrong = {status: count for status, count in statuses.items() if status != _CREATED}
    outcome.figures += [
        Figure(f"POST /v1/uploads at {_RATE_HZ:.0f}/s on one core: p99", whole.p99, "ms", Goal(25), note),
        Figure("  requests that failed", errors, "", Goal(0), str(wrong or "")),
    ]
    outcome.details["latency_ms"] = whole.as_json() | {"load": busy}
    outcome.details["rounds_ms"] = [one.as_json() for one in by_round]
