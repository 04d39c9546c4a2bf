"""Processor time of processes, to the nanosecond."""

import time

_NS_PER_US = 1000
_WHOLE_PROCESS = 2
"""In a clock id: the time that the scheduler gave to all threads (CPUCLOCK_SCHED of Linux)."""


def cpu_us(pid: int) -> float:
    """Microseconds of processor time of a process and its threads, ended ones included, children not."""
    return time.clock_gettime_ns((~pid << 3) | _WHOLE_PROCESS) / _NS_PER_US


def own_cpu_us() -> float:
    """The same of this process."""
    return time.process_time_ns() / _NS_PER_US
