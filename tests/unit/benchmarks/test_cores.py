import os
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.cores import everything_on, on, there, two_or_more
from benchmarks.processes import running
from benchmarks.setting import NotRunError


def test_everything_moves_and_comes_back(tmp_path: Path) -> None:
    """Threads and programs that run already, too."""
    cores = os.sched_getaffinity(0)
    first = min(cores)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert thread.native_id is not None
    sleeping = running([sys.executable, "-c", "input()"], log=tmp_path / "log", cwd=tmp_path)
    with there(first, sleeping) as program:
        try:
            assert os.sched_getaffinity(program.pid) == {first}
            last = max(cores)
            with everything_on([last]):
                moved = [os.sched_getaffinity(one) for one in (0, thread.native_id)]
                assert moved == [{last}, {last}]
            assert os.sched_getaffinity(0) == cores
            assert os.sched_getaffinity(thread.native_id) == cores
        finally:
            stop.set()
            thread.join()


def test_one_core_is_not_enough() -> None:
    """What is measured would share it with all else."""
    with on([min(os.sched_getaffinity(0))]), pytest.raises(NotRunError):
        two_or_more()
