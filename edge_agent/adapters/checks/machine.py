"""Processor, memory and clock."""

import ctypes
import time
from pathlib import Path

from edge_agent.adapters.cpu import FAST, SLOW, instruction_set, read_cpuinfo
from edge_agent.checkup import Finding, judge_clock, judge_cpu, judge_memory

_MEMINFO = Path("/proc/meminfo")
_TIME_ERROR = 5
"""What adjtimex(2) answers while nothing keeps the clock right."""
_TIMEX_BYTES = 256
"""More than any architecture's struct timex; all zero asks without setting anything."""


def check_cpu() -> Finding:
    """Instructions for int8."""
    found = instruction_set(read_cpuinfo())
    return judge_cpu(found, fast=found in FAST, slow=found in SLOW)


def check_memory() -> Finding:
    """What the kernel would give without swapping."""
    for line in _MEMINFO.read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return judge_memory(available_bytes=int(rest.split()[0]) * 1024)
    raise RuntimeError("this kernel's /proc/meminfo has no MemAvailable")


def check_clock() -> Finding:
    """Date, time zone and synchronisation."""
    now = time.time_ns() // 1_000_000
    local = time.strftime("%Y-%m-%d %H:%M %Z")
    return judge_clock(now_ms=now, local=local, synchronised=_synchronised())


def _synchronised() -> bool | None:
    """Whether the kernel's clock is kept right; None where it does not tell."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    status = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if status < 0 else status != _TIME_ERROR
