"""What this machine's processor can do for int8 networks."""

import platform
from pathlib import Path

_FLAGS = (
    ("avx512_vnni", "AVX-512 VNNI"),
    ("avx_vnni", "AVX-VNNI"),
    ("avx2", "AVX2"),
    ("sse4_1", "SSE4"),
    ("i8mm", "Arm i8mm"),
    ("asimddp", "Arm dot product"),
    ("asimd", "Arm NEON"),
)
"""Fastest first, per architecture."""
FAST = {"AVX-512 VNNI", "AVX-VNNI", "Arm i8mm", "Arm dot product"}
SLOW = {"SSE4", "none known"}

_CPUINFO = Path("/proc/cpuinfo")


def instruction_set(cpuinfo: str) -> str:
    """The fastest instructions for int8 that a `/proc/cpuinfo` names."""
    flags: set[str] = set()
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in {"flags", "features"}:
            flags.update(value.split())
    return next((name for flag, name in _FLAGS if flag in flags), "none known")


def read_cpuinfo() -> str:
    """The kernel's description; empty where there is none."""
    return _CPUINFO.read_text("utf-8", errors="replace") if _CPUINFO.exists() else ""


def describe_cpu() -> str:
    """Name and instruction set in one line."""
    text = read_cpuinfo()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return f"{next(names, platform.machine())} ({instruction_set(text)})"
