"""From the start of the process to the first recommendation that the model gave."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import servers
from benchmarks.measure import percentile
from benchmarks.processes import Value, cpu_seconds, running, wait_until
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
            taken, used = _start_once(config, folder / f"log-{number}")
            setting.say(f"start {number + 1}: {taken:.3f} s, of which {used:.2f} s on the processor")
            taken_s.append(taken)
            used_s.append(used)
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


def _start_once(config: Path, log: Path) -> tuple[float, float]:
    """Seconds until the first answer of the model, and of processor time until then."""
    data_dir = config.parent / "data"
    begun = time.perf_counter()
    with running(servers.agent_command(config), log=log, cwd=ROOT) as process:

        def wait(probe: Callable[[], Value | None], what: str) -> Value:
            return wait_until(probe, process=process, log=log, timeout_s=_TIMEOUT_S, what=what)

        server = wait(lambda: servers.reachable(data_dir, process, log), "the agent's address")
        answered = wait(lambda: servers.recommended(server), "the model's first answer")
        return answered - begun, cpu_seconds(process.pid)
