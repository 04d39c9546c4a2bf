import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.processes import ProgramError, cpu_seconds, family, resident_mb, running, wait_until

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def _number_in(log: Path) -> int | None:
    text = log.read_text(encoding="utf-8")
    return int(text) if text.endswith("\n") else None


def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _start_look_and_fail(tmp_path: Path, pids: list[int]) -> None:
    log = tmp_path / "log"
    with running([sys.executable, "-c", _PARENT], log=log, cwd=tmp_path) as process:
        child = wait_until(
            lambda: _number_in(log), process=process, log=log, timeout_s=30, what="the child's number"
        )
        pids += [process.pid, child]
        assert {one.pid for one in family(process.pid)} == set(pids)
        assert resident_mb(process.pid) > 1
        assert cpu_seconds(process.pid) > 0
        raise KeyError


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The end of the block takes the program and its child with it, also when the block fails."""
    pids: list[int] = []
    with pytest.raises(KeyError):
        _start_look_and_fail(tmp_path, pids)
    psutil.wait_procs([psutil.Process(pid) for pid in pids if not _is_gone(pid)], timeout=10)
    assert len(pids) == 2
    assert all(map(_is_gone, pids))


def test_a_program_that_dies_says_why(tmp_path: Path) -> None:
    """The error carries the exit status and the end of its output."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", "raise SystemExit('no camera there')"]
    with (
        running(command, log=log, cwd=tmp_path) as process,
        pytest.raises(ProgramError, match=r"status 1\n.*no camera there"),
    ):
        wait_until(lambda: None, process=process, log=log, timeout_s=30, what="readiness")


def test_a_silent_program_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """After the time is over, the error says what was waited for."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        running(command, log=log, cwd=tmp_path) as process,
        pytest.raises(ProgramError, match="readiness: nothing after"),
    ):
        wait_until(lambda: None, process=process, log=log, timeout_s=0.01, what="readiness")
