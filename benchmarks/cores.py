"""Which processor core runs what: what is measured has one of its own, all else runs on the others."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import psutil  # type: ignore[import-untyped]  # it ships no types

from benchmarks.processes import running
from benchmarks.setting import ROOT, NotRunError, Setting

P = TypeVar("P")


def two_or_more() -> list[int]:
    """The cores that this process may use, sorted. Raises NotRunError where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise NotRunError("it needs two cores: one for what is measured, one for all else")
    return cores


@contextlib.contextmanager
def on(cores: Sequence[int]) -> Iterator[None]:
    """What this thread starts inside runs on these cores, and so does the thread."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def there(core: int, program: AbstractContextManager[P]) -> Iterator[P]:
    """A program that is started on this core."""
    with contextlib.ExitStack() as stack:
        with on([core]):
            started = stack.enter_context(program)
        yield started


@contextlib.contextmanager
def everything_on(cores: Sequence[int]) -> Iterator[None]:
    """This process and all that it has started run on these cores, every thread of them."""
    before = os.sched_getaffinity(0)
    _move_everything(cores)
    try:
        yield
    finally:
        _move_everything(sorted(before))


@contextlib.contextmanager
def never_resting(setting: Setting, count: int) -> Iterator[None]:
    """Programs that give way to everybody, for each of the other cores."""
    log = setting.work_dir / "cpu-hog.log"
    command = [sys.executable, "-m", "benchmarks.cpu_hog", "--idle"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(running(command, log=log, cwd=ROOT))
        yield


def _move_everything(cores: Sequence[int]) -> None:
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), cores)
