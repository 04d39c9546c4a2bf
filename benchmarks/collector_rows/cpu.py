"""Processor time per frame: the collector, the sum of what cannot be avoided, and a plain collector.

All three take the same frames, in turns, each over a broker and a database of its own and the same store.
What is counted is the time of the measured process alone, with all its threads.

How long a piece of work takes a core depends on what the core beside it does. So the measured process has a
core of its own, in all three cases, and the others never rest: all else runs there, and when that has nothing
to do, a program of the lowest priority.
"""

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks import cloud_stack
from benchmarks.cloud_stack import CloudStack
from benchmarks.cores import never_resting, on, there, two_or_more
from benchmarks.cpu_clock import cpu_us
from benchmarks.processes import ProgramError, running, tail, wait_until
from benchmarks.servers import new_folder
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.till import Till, frames
from benchmarks.verdict import Figure, Goal
from cloud.config import S3Config
from tests.builders.frame_sender import Sender, Sent

_WINDOW = 256
_STEPS = ("verify", "put", "rows", "receipt")
Measure = Callable[[Sequence[Sent]], dict[str, float]]


def cpu(setting: Setting) -> Outcome:
    """Over a real S3 server; the same over a server that only answers stands beside it."""
    outcome = Outcome()
    cores = two_or_more()
    with on(cores[1:]), never_resting(setting, len(cores) - 1):
        with cloud_stack.ceph(setting.work_dir / "ceph") as s3:
            outcome.figures += _figures(setting, outcome, s3, cores[0], "real S3", goals=True)
        with cloud_stack.stand_in(setting.work_dir / "sink") as s3:
            outcome.figures += _figures(
                setting, outcome, s3, cores[0], "store that only answers", goals=False
            )
    return outcome


def _figures(
    setting: Setting, outcome: Outcome, s3: S3Config, core: int, store: str, *, goals: bool
) -> list[Figure]:
    setting.say(f"{store}: collector, bare primitives and plain collector in turns")
    costs = _take_turns(setting, s3, core)
    outcome.details[store] = {name: [round(value, 1) for value in values] for name, values in costs.items()}
    typical = {name: median(values) for name, values in costs.items()}
    bare = {name: typical[name] for name in ("receive", *_STEPS)}
    sum_us = sum(bare.values())
    own, plain = typical["collector"], typical["plain"]
    told = " + ".join(f"{name} {value:.0f}" for name, value in bare.items())
    first = "" if goals else "  "
    return [
        Figure(
            f"{first}collector's CPU per 30 KB frame over its bare primitives, {store}",
            own / sum_us,
            "x",
            Goal(1.5) if goals else None,
            f"{own:.0f} µs over {sum_us:.0f} = {told}",
        ),
        Figure(
            f"{first}plain collector's CPU per frame over the collector's, {store}",
            plain / own,
            "x",
            Goal(3.0, at_least=True) if goals else None,
            f"{plain:.0f} µs over {own:.0f}",
        ),
    ]


def _take_turns(setting: Setting, s3: S3Config, core: int) -> dict[str, list[float]]:
    sender = cloud_stack.new_sender()
    costs: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        lanes = [
            stack.enter_context(lane(setting, s3, core, sender))
            for lane in (_collector_lane, _bare_lane, _plain_lane)
        ]
        for number in range(1 + setting.count(7, 2)):
            batch = frames(sender, setting.count(600, 100))
            for measure in lanes:
                for name, value in measure(batch).items():
                    if number:  # the first turn warms everything up
                        costs.setdefault(name, []).append(value)
    return costs


@contextlib.contextmanager
def _collector_lane(setting: Setting, s3: S3Config, core: int, sender: Sender) -> Iterator[Measure]:
    with (
        cloud_stack.stack(setting, "own", s3, sender) as cloud,
        there(core, cloud.collector()) as process,
        Till(cloud, sender) as till,
    ):
        yield lambda batch: {"collector": _delivered(till, process.pid, batch)}


@contextlib.contextmanager
def _plain_lane(setting: Setting, s3: S3Config, core: int, sender: Sender) -> Iterator[Measure]:
    with cloud_stack.stack(setting, "plain", s3, sender) as cloud:
        folder = new_folder(setting.work_dir, "plain-collector")
        announcement, log = folder / "announced.json", folder / "log"
        command = _command("plain_collector", cloud, sender)
        program = running([*command, "--announce", str(announcement)], log=log, cwd=ROOT)
        with there(core, program) as process:
            wait_until(
                lambda: True if announcement.exists() else None,
                process=process,
                log=log,
                timeout_s=60,
                what="plain collector",
            )
            with Till(cloud, sender) as till:
                yield lambda batch: {"plain": _delivered(till, process.pid, batch)}


@contextlib.contextmanager
def _bare_lane(setting: Setting, s3: S3Config, core: int, sender: Sender) -> Iterator[Measure]:
    with cloud_stack.stack(setting, "bare", s3, sender) as cloud, Till(cloud, sender) as till:
        log = new_folder(setting.work_dir, "bare-primitives") / "log"
        with log.open("wb") as errors, on([core]):
            process = subprocess.Popen(
                _command("bare_primitives", cloud, sender),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                text=True,
            )
        with process:
            try:
                yield lambda batch: _bare(process, log, till, batch)
            finally:
                process.kill()


def _bare(process: "subprocess.Popen[str]", log: Path, till: Till, batch: Sequence[Sent]) -> dict[str, float]:
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(**words: object) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()

    def hear() -> dict[str, float]:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ProgramError(f"bare primitives ended\n{tail(log)}")
        said: dict[str, float] = json.loads(line)
        return said

    ask(step="receive", count=len(batch))
    hear()  # it has subscribed
    till.publish(batch, window=_WINDOW)
    costs = {"receive": hear()["cpu_us"]}
    for step in _STEPS:
        ask(step=step)
        costs[step] = hear()["cpu_us"]
    return costs


def _delivered(till: Till, pid: int, batch: Sequence[Sent]) -> float:
    """Microseconds per frame, from the first publish to the last receipt."""
    before = cpu_us(pid)
    till.deliver(batch, window=_WINDOW)
    return (cpu_us(pid) - before) / len(batch)


def _command(module: str, cloud: CloudStack, sender: Sender) -> list[str]:
    s3 = {
        name: value
        for name, value in dataclasses.asdict(cloud.s3).items()
        if name in {"endpoint_url", "bucket", "access_key", "secret_key"}
    }
    return [
        sys.executable,
        "-m",
        f"benchmarks.baselines.{module}",
        "--state-dir",
        str(cloud.state_dir),
        "--s3",
        json.dumps(s3),
        "--tenant",
        sender.tenant,
        "--port",
        str(cloud.broker.services_port),
    ]
