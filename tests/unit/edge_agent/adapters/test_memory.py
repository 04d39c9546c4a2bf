"""Holding back, and settling after the start."""

import gc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.adapters.memory import hold_back, settle

_SIZE = (720, 1280, 3)


@pytest.fixture
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("threads")
def test_opencv_starts_no_threads_of_its_own() -> None:
    assert cv2.getNumThreads() == 4
    hold_back()
    assert cv2.getNumThreads() == 1


def test_a_large_picture_goes_back_to_the_system_when_it_is_dropped() -> None:
    """Though the library has seen pictures of this size come and go, and would keep the next one."""
    hold_back()
    for _ in range(3):
        picture = np.ones(_SIZE, np.uint8)
        held_kb = _resident_kb()
        del picture
        assert held_kb - _resident_kb() > 0.9 * np.prod(_SIZE) / 1024


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def test_what_exists_is_exempt_from_collection_and_collecting_goes_on() -> None:
    """Frozen, and the collector is on again if the start had switched it off."""
    gc.disable()
    try:
        settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.enable()
        gc.unfreeze()
