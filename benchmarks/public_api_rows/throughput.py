"""Processor time per recommendation over a filled queue: one recommender, and what cannot be avoided.

Both take the same core in turns, and the core beside never rests (see `benchmarks.cores`); database and store
run there. What is counted is the time of the recommender and of the process that decodes for it.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks import cloud_stack, timed_service
from benchmarks.api_stack import ApiStack, need_postgres
from benchmarks.cores import everything_on, never_resting, on, there, two_or_more
from benchmarks.cpu_clock import cpu_us
from benchmarks.pictures import as_jpeg, camera_frames
from benchmarks.processes import ProgramError, family, tail
from benchmarks.release_stack import load
from benchmarks.servers import new_folder
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.verdict import Figure, Goal
from tests.builders.postgres import libpq_url

_TENANT = "gelateria-sole"
_STEPS = ("decode", "infer", "statements")
_PATIENCE_S = 120.0
_POLL_S = 0.02
_PARTS = ("lease", "champion", "read", "decode", "infer", "write", "delete", "note-deletion")


def throughput(setting: Setting) -> Outcome:
    """Blocks of uploads that have arrived: the recommender on its core, then the bare primitives there."""
    outcome, busy = Outcome(), load()
    need_postgres()
    cores = two_or_more()
    pictures = [as_jpeg(frame) for frame in camera_frames(setting.model_dir, 640, 480, 16)]
    folder = new_folder(setting.work_dir, "throughput") / "stack"
    with (
        ApiStack(folder, [_TENANT], _TENANT, cloud_stack.shared_ceph(setting)) as stack,
        _on_others(setting, cores),
    ):
        costs = _take_turns(setting, stack, cores[0], pictures)
        parts = _parts(setting, stack, cores[0], pictures)
    typical = {name: median(values) for name, values in costs.items()}
    own, bare = typical["recommender"] + typical["decoder"], sum(typical[step] for step in _STEPS)
    told = " + ".join(f"{step} {typical[step]:.0f}" for step in _STEPS)
    outcome.figures += [
        Figure(
            "recommendations per second and core over the bare primitives",
            bare / own,
            "x",
            Goal(0.5, at_least=True),
            f"{own:.0f} µs of processor each; {bare:.0f} = {told}; {busy}",
        ),
        Figure("  recommendations a second of a core's time", 1e6 / own, "/s"),
        Figure(
            "  recommendations a second while it had that core, S3 server and database on the other",
            typical["per_s"],
            "/s",
        ),
        Figure(
            "  processor time of a recommendation, the recommender's process", typical["recommender"], "µs"
        ),
        Figure("  processor time of a recommendation, the process that decodes", typical["decoder"], "µs"),
        *(Figure(f"  of the recommender's process, {name}", us, "µs") for name, us in parts.items()),
    ]
    outcome.details["us"] = {name: [round(one, 1) for one in values] for name, values in costs.items()}
    outcome.details["parts_us"] = {name: round(us, 1) for name, us in parts.items()}
    return outcome


def _take_turns(
    setting: Setting, stack: ApiStack, core: int, pictures: Sequence[bytes]
) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {}
    count = setting.count(512, 64)
    with _bare(setting, stack, core) as ask, there(core, stack.service("recommender")) as process:
        for number in range(1 + setting.count(7, 2)):
            setting.say(f"turn {number}, {count} pictures")
            found = _served(stack, process.pid, pictures, count)
            found |= {step: ask(step, count) for step in _STEPS}
            if number:  # the first turn warms everything up
                for name, value in found.items():
                    costs.setdefault(name, []).append(value)
    return costs


def _served(stack: ApiStack, pid: int, pictures: Sequence[bytes], count: int) -> dict[str, float]:
    """Microseconds per picture, until the last one is deleted; and answers a second."""
    own_us, decoder_us = _cpu_us(pid)
    stack.fill(_TENANT, pictures, count)
    begun = time.monotonic()
    _until(lambda: stack.waiting(_TENANT) == 0)
    took_s = time.monotonic() - begun
    _until(lambda: stack.undeleted(_TENANT) == 0)
    own_end_us, decoder_end_us = _cpu_us(pid)
    return {
        "recommender": (own_end_us - own_us) / count,
        "decoder": (decoder_end_us - decoder_us) / count,
        "per_s": count / took_s,
    }


def _cpu_us(pid: int) -> tuple[float, float]:
    """Of the recommender, and of the processes it has started."""
    own, *others = family(pid)
    return cpu_us(own.pid), sum(cpu_us(one.pid) for one in others)


def _parts(setting: Setting, stack: ApiStack, core: int, pictures: Sequence[bytes]) -> dict[str, float]:
    """Microseconds per picture of the recommender's threads, by part, with clocks around its methods."""
    count = setting.count(512, 64)
    notes = stack.folder / "notes"
    with there(core, stack.service("recommender", notes=notes)) as process:
        _served(stack, process.pid, pictures, count // 2)
        begun_ns = time.time_ns()
        whole = _served(stack, process.pid, pictures, count)
    found = timed_service.within(timed_service.read(notes), begun_ns, time.time_ns())
    parts = {name: sum(one.cpu_ns for one in found if one.part == name) / 1e3 / count for name in _PARTS}
    rest = whole["recommender"] - sum(parts.values())
    return parts | {"all else, threads of the S3 client included": rest}


@contextlib.contextmanager
def _on_others(setting: Setting, cores: Sequence[int]) -> Iterator[None]:
    """All that runs, and all that is started, has every core but the first."""
    others = cores[1:]
    with everything_on(others), on(others), never_resting(setting, len(others)):
        yield


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise ProgramError("the recommender does not come to an end")
        time.sleep(_POLL_S)


@contextlib.contextmanager
def _bare(setting: Setting, stack: ApiStack, core: int) -> Iterator[Callable[[str, int], float]]:
    log = new_folder(setting.work_dir, "bare-recommendation") / "log"
    url = libpq_url(stack.database.url.render_as_string(hide_password=False))
    module = "benchmarks.baselines.bare_recommendation"
    command = [sys.executable, "-m", module, "--model", str(setting.model_dir), "--url", url]
    with log.open("wb") as errors, on([core]):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, text=True
        )

    def hear() -> dict[str, float]:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ProgramError(f"bare primitives ended\n{tail(log)}")
        said: dict[str, float] = json.loads(line)
        return said

    def ask(step: str, count: int) -> float:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"step": step, "count": count}) + "\n")
        process.stdin.flush()
        return hear()["cpu_us"]

    with process:
        try:
            hear()
            yield ask
        finally:
            process.kill()
