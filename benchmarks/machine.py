"""What the figures were measured on; without it they mean nothing."""

import importlib.metadata
import os
import platform
from pathlib import Path

_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "fastapi", "uvicorn", "uvloop", "httptools")
_TELLING_FLAGS = ("sse4_1", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8")
"""What decides how fast an int8 network runs."""


def cpu_model() -> str:
    """The processor's name by the kernel, or the architecture where the kernel gives none."""
    return _cpuinfo().get("model name", platform.machine())


def describe() -> dict[str, object]:
    """Processor, system, versions and how busy the machine was when the benchmark began."""
    flags = _cpuinfo().get("flags", "").split()
    return {
        "cpu": cpu_model(),
        "cpu_flags": [flag for flag in _TELLING_FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpuinfo() -> dict[str, str]:
    """The first processor's lines of /proc/cpuinfo."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n", 1)[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
