"""The process that decodes: `python -P worker.py MEMORY_BYTES CPU_S`, one picture after the other.

It stands alone: it imports OpenCV and nothing of Topscoop, holds its two pipes and no other descriptor, and
the kernel limits its descriptors, processes, files, memory and processor. A picture that exhausts or crashes
the decoder ends here. No defence against foreign code: there is no system-call filter.

stdin:   <II>  imread flags, length; then the picture                      (again and again)
stdout:  <BII>  status, height, width; then height*width*3 bytes of BGR, or nothing
                first, once: READY
"""

import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from cv2.typing import MatLike

REQUEST = struct.Struct("<II")
ANSWER = struct.Struct("<BII")
READY, DECODED, UNDECODABLE, NO_MEMORY = range(4)

_STANDARD_STREAMS = 3
_LIFETIME_CPU_S = 3600
"""Then the kernel ends the process, and a new one takes over."""


def main(memory_bytes: int, cpu_s: int) -> None:
    """Answer requests until the other side closes its pipe."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    cv2.setNumThreads(1)
    _confine(memory_bytes)
    _send(sink, READY, None)
    while len(request := source.read(REQUEST.size)) == REQUEST.size:
        flags, length = REQUEST.unpack(request)
        _allow_cpu(cpu_s)
        _send(sink, *_decode(source, length, flags))


def _confine(memory_bytes: int) -> None:
    """Give up, for good, everything that decoding does not need."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    address_space = pages * resource.getpagesize() + memory_bytes
    for kind, bound in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, _LIFETIME_CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _STANDARD_STREAMS),
    ):
        resource.setrlimit(kind, (bound, bound))


def _allow_cpu(cpu_s: int) -> None:
    """A soft limit for one picture; the process has used some processor time before."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = int(used.ru_utime + used.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(spent_s + cpu_s, _LIFETIME_CPU_S), _LIFETIME_CPU_S))


def _decode(source: BinaryIO, length: int, flags: int) -> tuple[int, MatLike | None]:
    try:
        decoded = cv2.imdecode(np.frombuffer(source.read(length), np.uint8), flags)
    except MemoryError:
        return NO_MEMORY, None
    except cv2.error as error:
        return (NO_MEMORY if error.code == cv2.Error.StsNoMem else UNDECODABLE), None
    return (UNDECODABLE, None) if decoded is None else (DECODED, decoded)


def _send(sink: BinaryIO, status: int, pixels: MatLike | None) -> None:
    height, width = (0, 0) if pixels is None else pixels.shape[:2]
    sink.write(ANSWER.pack(status, height, width))
    if pixels is not None:
        sink.write(pixels.data)
    sink.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
