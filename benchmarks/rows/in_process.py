"""The path in one process: its cost beyond the network, and what a till sees at its own pace."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Spread, percentile, spread
from benchmarks.processes import ProgramError, running
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.verdict import Figure, Goal

_UNITS = ROOT / "deploy" / "systemd"
_HOGS = 2
_PERIOD_S = 0.033


def overhead(setting: Setting) -> Outcome:
    """Frame to top-3 against the bare network, back to back, in turns."""
    count = setting.count(20_000, 3_000)
    setting.say(f"{count} calls of the path and of session.run, in turns")
    answer = _measure(setting, "hot", count)
    path, bare = (spread(answer["series"][name]) for name in ("path", "bare"))
    note = f"path {_pair(path)} ms, session.run {_pair(bare)} ms (p50/p99)"
    return Outcome(
        figures=[
            Figure(
                "in process: frame → top-3 p99 over session.run p99, hot",
                path.p99 / bare.p99,
                "x",
                Goal(1.25),
                note,
            )
        ],
        details={"path_ms": path.as_json(), "session_run_ms": bare.as_json()},
    )


def cadence(setting: Setting) -> Outcome:
    """One customer per 33 ms: on a quiet machine, then beside two programs that want all of it."""
    count = setting.count(1200, 100)
    nice = unit_niceness(_UNITS)
    setting.say(f"{2 * count} customers, one per 33 ms")
    quiet_answer = _measure(setting, "cadence", count)
    quiet = {name: spread(series) for name, series in quiet_answer["series"].items()}
    setting.say(f"the same beside {_HOGS} CPU hogs")
    with contextlib.ExitStack() as stack:
        for number in range(_HOGS):
            command = [sys.executable, "-m", "benchmarks.cpu_hog"]
            stack.enter_context(running(command, log=setting.work_dir / f"hog-{number}.log", cwd=ROOT))
        busy_answer = _measure(setting, "cadence", count, nice=nice)
    busy = {name: spread(series) for name, series in busy_answer["series"].items()}
    told = str(busy_answer["scheduling"])
    around = f"cold {_pair(quiet['cold'])} ms, from the trigger on {_pair(quiet['trigger'])} ms"
    around_busy = f"cold {_pair(busy['cold'])} ms, {told}"
    return Outcome(
        figures=[
            Figure(
                "in process, one customer per 33 ms, warmed up: p50",
                quiet["path"].p50,
                "ms",
                Goal(0.6),
                around,
            ),
            Figure("in process, one customer per 33 ms, warmed up: p99", quiet["path"].p99, "ms", Goal(1.0)),
            Figure("  the same beside two CPU hogs: p99", busy["path"].p99, "ms", Goal(2.0), around_busy),
        ],
        details={
            "quiet_ms": {name: series.as_json() for name, series in quiet.items()},
            "hogs_ms": {name: series.as_json() for name, series in busy.items()},
            "hogs_scheduling": told,
        },
    )


def bare_network_p50_ms(setting: Setting) -> float:
    """The median of `session.run` alone, for rows that compare servers whose networks differ."""
    return percentile(_measure(setting, "hot", 1000)["series"]["bare"], 0.5)


def unit_niceness(units: Path) -> int:
    """The `Nice=` of the agent's systemd unit: the benchmark schedules as the product is installed.

    Raises:
        ProgramError: No unit of the agent sets it.
    """
    for unit in sorted(units.glob("*.service")):
        for line in unit.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "Nice":
                return int(value)
    raise ProgramError(f"no *.service in {units} sets Nice=; the row measures what the unit sets")


def _pair(series: Spread) -> str:
    return f"{series.p50:.3f}/{series.p99:.3f}"


def _measure(setting: Setting, mode: str, count: int, *, nice: int = 0) -> dict[str, dict[str, list[float]]]:
    """Run `benchmarks.in_process` and read what it prints."""
    command = [sys.executable, "-m", "benchmarks.in_process", "--model", str(setting.model_dir)]
    command += ["--mode", mode, "--count", str(count), "--period-s", str(_PERIOD_S), "--nice", str(nice)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise ProgramError(
            f"benchmarks.in_process ended with status {done.returncode}:\n{done.stderr[-1500:]}"
        )
    answer: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return answer
