"""The data folder: writable, with space, and with an fsync that works. Leaves nothing behind."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from edge_agent.checkup import Finding, Verdict, judge_disk
from edge_agent.config import EdgeConfig

_MIB = 1 << 20


def check_folder(config: EdgeConfig) -> Finding:
    """The folder, or where it will be made at the first start."""
    folder = config.data_dir
    place = next((parent for parent in (folder, *folder.parents) if parent.exists()), Path("/"))
    if not place.is_dir():
        return Finding("disk", Verdict.FAILED, f"{place} is no folder", "Set `data_dir` to a folder.")
    try:
        fsync_ms = _fsync_ms(place)
        free_bytes = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(
            "disk",
            Verdict.FAILED,
            f"{place} cannot be written to: {error.strerror}",
            "Give the folder to the agent's user, or set another `data_dir`; run doctor as that user.",
        )
    name = str(folder) if place == folder else f"{folder} (to be made in {place})"
    return judge_disk(
        name, free_bytes=free_bytes, wanted_bytes=config.journal.max_mb * _MIB, fsync_ms=fsync_ms
    )


def _fsync_ms(folder: Path) -> float:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        file.write(b"\0" * 4096)
        file.flush()
        started = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - started) * 1000
