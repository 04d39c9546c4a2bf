"""From the upload's end to the readable recommendation, on an idle system, and where the time goes."""

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks import cloud_stack, timed_service
from benchmarks.api_stack import SERVICES, ApiStack, need_postgres
from benchmarks.cpu_clock import cpu_us
from benchmarks.measure import Spread, spread
from benchmarks.phone import Phone, Walk
from benchmarks.pictures import as_jpeg, camera_frames
from benchmarks.release_stack import load
from benchmarks.servers import new_folder
from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_TENANT = "gelateria-sole"
_PAUSE_S = 0.25
"""Between two pictures, half as much to either side: processor and caches go cold between customers."""
_WARM_UP = 3
_EVENTS = {"webhook_token": "benchmark", "webhook_url": "http://127.0.0.1:{webhook}/events"}
_LIMITS = {"uploads_per_minute": 1_000_000, "requests_per_minute": 10_000_000}


def answer(setting: Setting) -> Outcome:
    """The client says `complete`, then waits; after it the same with the S3 server's own event."""
    outcome, busy = Outcome(), load()
    need_postgres()
    pictures = [as_jpeg(frame) for frame in camera_frames(setting.model_dir, 640, 480, 16)]
    folder = new_folder(setting.work_dir, "answer") / "stack"
    with ApiStack(folder, [_TENANT], _TENANT, cloud_stack.shared_ceph(setting), public_api=_LIMITS) as stack:
        setting.say("the client says that the picture is there")
        with _services(stack) as (phone, _):
            walks = walk(phone, pictures, setting.count(250, 15))
            _tell(outcome, spread([one.answer_ms for one in walks]), busy)
            _tell_whole(outcome, walks)
        setting.say("where the time goes")
        with _services(stack, noting=True) as (phone, _):
            _tell_parts(outcome, _parts(stack, phone, pictures, setting.count(60, 8)))
        setting.say("the S3 server tells")
        stack.configure(intake=_EVENTS)
        with _services(stack) as (phone, pids):
            before_us = cpu_us(pids["intake"])
            walks = walk(phone, pictures, setting.count(100, 8), tell=False)
            intake_us = (cpu_us(pids["intake"]) - before_us) / (len(walks) + _WARM_UP)
            _tell_events(outcome, walks)
        outcome.figures.append(
            Figure("  processor time of intake, each event and its looks between them", intake_us, "µs")
        )
    return outcome


def walk(phone: Phone, pictures: Sequence[bytes], count: int, *, tell: bool = True) -> list[Walk]:
    """So many pictures, one after the other with pauses; the first few warm everything up."""
    uneven, found = random.Random(count), []
    for number in range(count + _WARM_UP):
        found.append(phone.walk(pictures[number % len(pictures)], tell=tell))
        time.sleep(_PAUSE_S * uneven.uniform(0.5, 1.5))
    return found[_WARM_UP:]


@contextlib.contextmanager
def _services(stack: ApiStack, *, noting: bool = False) -> Iterator[tuple[Phone, dict[str, int]]]:
    """All three services, and a phone; the services' processes by name."""
    with contextlib.ExitStack() as opened:
        pids = {
            name: opened.enter_context(stack.service(name, notes=_notes(stack, name) if noting else None)).pid
            for name in SERVICES
        }
        phone = Phone(stack.api_port, stack.host(_TENANT), stack.bearer(_TENANT, "anna"))
        yield opened.enter_context(phone), pids


def _notes(stack: ApiStack, service: str) -> Path:
    return stack.folder / f"{service}.notes"


def _parts(stack: ApiStack, phone: Phone, pictures: Sequence[bytes], count: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    walks = walk(phone, pictures, count)
    notes = timed_service.read(*(_notes(stack, one) for one in ("api", "recommender")))
    for one in walks:
        own = timed_service.within(notes, one.uploaded_ns, one.answered_ns)
        for name, ms in timed_service.parts(own, one.uploaded_ns, one.answered_ns).items():
            found.setdefault(name, []).append(ms)
    return found


def _tell(outcome: Outcome, whole: Spread, busy: str) -> None:
    note = f"p90 {whole.p90:.0f}, worst {whole.worst:.0f} of {whole.count}; {busy}"
    outcome.figures += [
        Figure("upload finished → recommendation readable, idle: p50", whole.p50, "ms", Goal(60), note),
        Figure("upload finished → recommendation readable, idle: p99", whole.p99, "ms", Goal(200), note),
    ]
    outcome.details["complete"] = whole.as_json() | {"load": busy}


def _tell_whole(outcome: Outcome, walks: Sequence[Walk]) -> None:
    for name, values in (
        ("the signed URL: p50", [(one.put_ns - one.begun_ns) / 1e6 for one in walks]),
        ("the PUT itself: p50", [(one.uploaded_ns - one.put_ns) / 1e6 for one in walks]),
        (
            "`complete`, which answers meanwhile: p50",
            [(one.told_ns - one.uploaded_ns) / 1e6 for one in walks],
        ),
    ):
        outcome.figures.append(Figure(f"  beside it, {name}", median(values), "ms"))


def _tell_parts(outcome: Outcome, split: dict[str, list[float]]) -> None:
    outcome.figures += [
        Figure(f"  of which {name}: p50", median(values), "ms", note=f"p90 {spread(values).p90:.1f}")
        for name, values in split.items()
    ]
    outcome.details["parts"] = {name: spread(values).as_json() for name, values in split.items()}


def _tell_events(outcome: Outcome, walks: Sequence[Walk]) -> None:
    after = spread([one.answer_ms for one in walks])
    put = spread([(one.uploaded_ns - one.put_ns) / 1e6 for one in walks])
    note = f"its PUT takes {put.p50:.0f} ms: this server tells before it answers"
    outcome.figures += [
        Figure("  the same by the S3 server's own event: p50", after.p50, "ms", note=note),
        Figure("  the same by the S3 server's own event: p99", after.p99, "ms"),
    ]
    outcome.details["event"] = {"after_put": after.as_json(), "put": put.as_json()}
