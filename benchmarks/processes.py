"""Start programs, watch what they use, and leave none behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import psutil  # type: ignore[import-untyped]  # it ships no types

Value = TypeVar("Value")

_PR_SET_PDEATHSIG = 1
_STOP_TIMEOUT_S = 10
_POLL_S = 0.005
_LOG_TAIL_CHARACTERS = 1500
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProgramError(Exception):
    """A program that the benchmark needs did not start, or died."""


def _die_with_the_benchmark() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def running(command: Sequence[str], *, log: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own while the block runs; its output goes to `log`.

    Not in a session of its own: where the kernel groups processes by session, niceness would no longer
    count between programs of this benchmark. Start from the main thread only.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            process_group=0,
            preexec_fn=_die_with_the_benchmark,  # noqa: PLW1509 - one thread, and nothing between fork and exec
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then make sure: the whole group, so that no child of a child stays."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(
    probe: Callable[[], Value | None],
    *,
    process: subprocess.Popen[bytes],
    log: Path,
    timeout_s: float,
    what: str,
) -> Value:
    """Call `probe` until it gives a value.

    Raises:
        ProgramError: The program died first, or the time is over; the end of its log is in the message.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = probe()
        if value is not None:
            return value
        if process.poll() is not None:
            raise ProgramError(f"{what}: the program ended with status {process.returncode}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ProgramError(f"{what}: nothing after {timeout_s:g} s\n{tail(log)}")
        time.sleep(_POLL_S)


def tail(log: Path) -> str:
    """The end of a program's output."""
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL_CHARACTERS:]


def family(pid: int) -> list[psutil.Process]:
    """The process and all that came from it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children in MB (10^6 bytes); what they share counts for each."""
    return sum(float(process.memory_info().rss) for process in family(pid)) / 1e6


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children so far, ended ones included."""
    total = 0.0
    for process in family(pid):
        times = process.cpu_times()
        total += times.user + times.system
    ended = psutil.Process(pid).cpu_times()
    return total + float(ended.children_user) + float(ended.children_system)
