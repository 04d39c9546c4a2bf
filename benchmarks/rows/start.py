"""From the start of the process to the first recommendation that the model gave."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import servers
from benchmarks.measure import percentile
from benchmarks.processes import cpu_seconds, running, wait_until
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.verdict import Figure, Goal

_GOAL_S = 0.8
_TIMEOUT_S = 30


def start(setting: Setting) -> Outcome:
    """Start the agent several times on a folder that it knows, with a camera that is already running."""
    times = setting.count(5, 2)
    taken_s, used_s = [], []
    with servers.camera(setting, width=640, height=480, fps=30) as lens:
        folder = servers.new_folder(setting.work_dir, "starts")
        config = folder / "edge.toml"
        config.write_text(
            servers.agent_config(
                setting.model_dir, folder / "data", camera_source=lens.url, fps=30, always_model=True
            ),
            encoding="utf-8",
        )
        # The first of all fills the system's cache of files and is told, not counted.
        for number in range(-1, times):
            with _started(config, folder / f"log-{number}") as (begun, process):
                taken_s.append(_first_answer(folder, process) - begun)
                used_s.append(cpu_seconds(process.pid))
            setting.say(
                f"start {number + 1}: {taken_s[-1]:.3f} s, of which {used_s[-1]:.2f} s on the processor"
            )
    first, *warm_s = taken_s
    used = percentile(used_s[1:], 0.5)
    note = (
        f"median of {times}, {used:.2f} s of processor time; "
        f"slowest {max(warm_s):.2f} s, very first {first:.2f} s"
    )
    return Outcome(
        figures=[
            Figure("process start → first recommendation", percentile(warm_s, 0.5), "s", Goal(_GOAL_S), note)
        ],
        details={
            "seconds": [round(taken, 4) for taken in warm_s],
            "first_s": round(first, 4),
            "processor_s": [round(used, 4) for used in used_s],
        },
    )


@contextlib.contextmanager
def _started(config: Path, log: Path) -> Iterator[tuple[float, subprocess.Popen[bytes]]]:
    """The agent, and the moment before it was started."""
    (config.parent / "data" / "api.json").unlink(missing_ok=True)
    begun = time.perf_counter()
    with running(servers.agent_command(config), log=log, cwd=ROOT) as process:
        yield begun, process


def _first_answer(folder: Path, process: subprocess.Popen[bytes]) -> float:
    """When the first answer from the model came."""
    log = next(iter(sorted(folder.glob("log-*"), key=lambda path: -path.stat().st_mtime_ns)))
    server = wait_until(
        lambda: servers.reachable(folder / "data", process, log),
        process=process,
        log=log,
        timeout_s=_TIMEOUT_S,
        what="agent",
    )
    return wait_until(
        lambda: servers.recommended(server),
        process=process,
        log=log,
        timeout_s=_TIMEOUT_S,
        what="first answer",
    )
