"""Holding back, and settling after the start."""

import gc
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import cv2
import pytest

from edge_agent.adapters.memory import hold_back, settle, unchanged_code


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before, interval_s = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)
    sys.setswitchinterval(interval_s)


def test_opencv_starts_no_threads_of_its_own() -> None:
    assert cv2.getNumThreads() == 4
    hold_back()
    assert cv2.getNumThreads() == 1


def test_a_large_picture_goes_back_to_the_system_when_it_is_dropped() -> None:
    """Though the library has seen pictures of this size come and go, and would keep the next one."""
    _in_a_new_process("""
        hold_back()
        for _ in range(3):
            picture = np.ones(SIZE, np.uint8)
            held_kb = resident_kb()
            del picture
            given_back_kb = held_kb - resident_kb()
            assert given_back_kb > 0.9 * np.prod(SIZE) / 1024, given_back_kb
    """)


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


_SMAPS = """\
55d000000000-55d000001000 r-xp 00001000 fe:00 101    /usr/lib/libcode.so
Rss:                   4 kB
Anonymous:             0 kB
55d000001000-55d000003000 r-xp 00002000 fe:00 102    /usr/lib/libpatched.so
Rss:                   8 kB
Anonymous:             4 kB
55d000003000-55d000004000 r--p 00000000 fe:00 101    /usr/lib/libcode.so
Anonymous:             0 kB
55d000004000-55d000005000 rw-p 00000000 00:00 0      [heap]
Anonymous:             4 kB
55d000005000-55d000006000 r-xp 00000000 00:00 0      [vdso]
Anonymous:             0 kB
55d000006000-55d000008000 r-xp 00000000 fe:00 103    /usr/lib/libgone.so (deleted)
Anonymous:             0 kB
55d000008000-55d00000a000 r-xp 00000000 fe:00 104    /usr/lib/lib with spaces.so
Anonymous:             0 kB
"""


def test_only_code_that_is_as_in_its_file_may_leave() -> None:
    """Data, changed code, the kernel's own pages and replaced files stay."""
    assert list(unchanged_code(_SMAPS)) == [(0x55D000000000, 0x1000), (0x55D000008000, 0x2000)]


def test_settling_makes_the_process_smaller_and_it_still_works() -> None:
    """Code that left memory comes back when it is called."""
    _in_a_new_process("""
        picture = np.ones(SIZE, np.uint8)
        before_kb = resident_kb()
        settle()
        assert resident_kb() < before_kb, (resident_kb(), before_kb)
        assert cv2.resize(picture, (160, 160)).shape == (160, 160, 3)
    """)


_PRELUDE = """\
from pathlib import Path
import cv2, numpy as np
from edge_agent.adapters.memory import hold_back, settle
SIZE = (720, 1280, 3)
def resident_kb():
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
"""


def _in_a_new_process(claim: str) -> None:
    """What a heap gives back depends on what else lives in its process: these tests want one of their own."""
    ended = subprocess.run(
        [sys.executable, "-c", _PRELUDE + textwrap.dedent(claim)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
