import os
import subprocess
import sys

from benchmarks.cpu_clock import cpu_us, own_cpu_us

_WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
_WORKS = "print('up', flush=True); sum(range(3_000_000)); print('done', flush=True); input()"


def _started(program: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_work_counts_and_waiting_does_not() -> None:
    """A process that reads from a pipe uses nothing; one that adds up numbers does."""
    with _started(_WORKS) as working, _started(_WAITS) as waiting:
        try:
            idle = cpu_us(waiting.pid)
            begun = cpu_us(working.pid)
            assert working.stdout is not None
            assert working.stdout.readline() == "done\n"
            assert cpu_us(working.pid) > begun
            assert cpu_us(waiting.pid) - idle <= cpu_us(working.pid)
        finally:
            working.kill()
            waiting.kill()


def test_own_time_is_the_same_clock() -> None:
    """What a process says of itself is what others read of it."""
    before = own_cpu_us()
    seen = cpu_us(os.getpid())
    assert before <= seen <= own_cpu_us()
