"""A quiet chain's customers, alone and beside ten chains that use up their limits and try for more."""

import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import Popen

from benchmarks import cloud_stack
from benchmarks.api_stack import SERVICES, ApiStack, need_postgres
from benchmarks.measure import spread
from benchmarks.noisy_neighbours import Options
from benchmarks.phone import Phone
from benchmarks.pictures import as_jpeg, camera_frames
from benchmarks.processes import running, wait_until
from benchmarks.release_stack import load
from benchmarks.servers import new_folder, read_json
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.verdict import Figure, Goal

_QUIET = "quiet"
_NOISY = tuple(f"noisy-{number}" for number in range(10))
_MODEL = "gelateria-sole"
_PERSONS = 8
"""The quiet chain's customers take turns: none of them comes near a limit."""
_PAUSE_S = 0.3
_WALKS_HZ = 1.0
"""As many as the default limit lets one person upload: 60 a minute."""
_FLOODS_HZ = 20.0
"""Twice what the default limit lets one person ask: 600 a minute."""
_SETTLE_S = 3.0
_START_TIMEOUT_S = 60.0


def noisy(setting: Setting) -> Outcome:
    """Blocks in turns: the noise is stopped (SIGSTOP) in one, and goes on in the next."""
    outcome, busy = Outcome(), load()
    need_postgres()
    pictures = [as_jpeg(frame) for frame in camera_frames(setting.model_dir, 640, 480, 16)]
    alone: list[float] = []
    beside: list[float] = []
    with (
        ApiStack(
            new_folder(setting.work_dir, "noisy") / "stack",
            [_QUIET, *_NOISY],
            _MODEL,
            cloud_stack.shared_ceph(setting),
        ) as stack,
        contextlib.ExitStack() as opened,
    ):
        for name in SERVICES:
            opened.enter_context(stack.service(name))
        phones = [
            opened.enter_context(
                Phone(stack.api_port, stack.host(_QUIET), stack.bearer(_QUIET, f"customer {number}"))
            )
            for number in range(_PERSONS)
        ]
        noise, counts = opened.enter_context(_neighbours(setting, stack))
        _block(phones, pictures, _PERSONS)  # warms up
        rounds, count = setting.count(6, 2), setting.count(60, 8)
        for number in range(rounds):
            setting.say(f"round {number + 1} of {rounds}")
            noise.send_signal(signal.SIGSTOP)
            time.sleep(_SETTLE_S)
            alone += _block(phones, pictures, count)
            noise.send_signal(signal.SIGCONT)
            time.sleep(_SETTLE_S)
            beside += _block(phones, pictures, count)
        told = json.loads(counts.read_text())
    _tell(outcome, alone, beside, told, busy)
    return outcome


def _block(phones: Sequence[Phone], pictures: Sequence[bytes], count: int) -> list[float]:
    """Milliseconds of whole ways, one after the other."""
    uneven, found = random.Random(count), []
    for number in range(count):
        walk = phones[number % len(phones)].walk(pictures[number % len(pictures)])
        found.append(walk.whole_ms)
        time.sleep(_PAUSE_S * uneven.uniform(0.5, 1.5))
    return found


@contextlib.contextmanager
def _neighbours(setting: Setting, stack: ApiStack) -> Iterator[tuple["Popen[bytes]", Path]]:
    folder = new_folder(setting.work_dir, "neighbours")
    chains = [(stack.host(one), stack.bearer(one, "first"), stack.bearer(one, "second")) for one in _NOISY]
    counts, log = folder / "counts.json", folder / "log"
    options = Options(stack.api_port, chains, _WALKS_HZ, _FLOODS_HZ, str(setting.model_dir), str(counts))
    command = [sys.executable, "-m", "benchmarks.noisy_neighbours", options.as_json()]
    with running(command, log=log, cwd=ROOT) as process:
        wait_until(
            lambda: read_json(counts),
            process=process,
            log=log,
            timeout_s=_START_TIMEOUT_S,
            what="noisy neighbours",
        )
        try:
            yield process, counts
        finally:
            process.send_signal(signal.SIGCONT)


def _tell(outcome: Outcome, alone: list[float], beside: list[float], told: dict[str, int], busy: str) -> None:
    quiet, loud = spread(alone), spread(beside)
    note = f"{loud.p99:.0f} ms over {quiet.p99:.0f}; {busy}"
    outcome.figures += [
        Figure(
            "a quiet chain's whole way beside ten noisy ones over alone: p99",
            loud.p99 / quiet.p99,
            "x",
            Goal(1.5),
            note,
        ),
        Figure("  the same: p50", loud.p50 / quiet.p50, "x", note=f"{loud.p50:.0f} ms over {quiet.p50:.0f}"),
        *(Figure(f"  the noisy ones meanwhile, {what}", count) for what, count in sorted(told.items())),
    ]
    outcome.details |= {"alone_ms": quiet.as_json(), "beside_ms": loud.as_json(), "noise": told, "load": busy}
