"""Keeping the process small and its threads few: what C libraries would take by themselves."""

import ctypes
import gc
import mmap
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_SWITCH_INTERVAL_S: Final = 0.0005
_LARGE_BYTES: Final = 1 << 20
"""Above a frame of 640x480, which is used again while it is warm in the caches."""


def hold_back() -> None:
    """To be called before the threads start that work on pictures; saves some 7 MB with a 720-line camera.

    The C library serves all threads from one heap, as they rarely allocate at the same time, and gives a
    larger picture back to the system as soon as it is dropped, where it would keep two or three. OpenCV works
    in the thread that calls it: its own threads spin between pictures, on cores that the till needs.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's knobs; musl has none
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    cv2.setNumThreads(1)
    # A till's request waits for the interpreter while the camera's thread is in Python: 5 ms by default,
    # which would be most of its time.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)


def settle() -> None:
    """To be called once, when everything that lives long has been made.

    What exists is exempt from the garbage collector, so that no collection ever walks it again while a till
    waits; the C library gives the pages that importing left free back to the system (about 6 MB); and the
    libraries' code that only the start needed leaves memory (about 20 MB).
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc has it, musl does not
        libc.malloc_trim(0)
    _drop_code(libc)


def _drop_code(libc: ctypes.CDLL) -> None:
    """Unmap the pages of all libraries' code; what is still needed comes back from the page cache by itself.

    Only code that is as it is in its file: a page that was changed in memory would be lost.
    """
    if not hasattr(libc, "madvise"):
        return
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, length in unchanged_code(Path("/proc/self/smaps").read_text(encoding="utf-8")):
        libc.madvise(start, length, mmap.MADV_DONTNEED)


_MAPPING: Final = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)$")


def unchanged_code(smaps: str) -> Iterator[tuple[int, int]]:
    """Start and length in bytes of every executable mapping of a file without a page of its own (proc(5))."""
    code: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if mapping := _MAPPING.match(line):
            start, end, rights, inode, name = mapping.groups()
            of_file = inode != "0" and name.startswith("/") and not name.endswith(" (deleted)")
            code = (int(start, 16), int(end, 16) - int(start, 16)) if rights == "r-xp" and of_file else None
        elif code is not None and line.startswith("Anonymous:"):
            if line.split()[1] == "0":
                yield code
            code = None
