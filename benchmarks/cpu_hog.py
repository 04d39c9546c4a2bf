"""A program that wants one core for itself, and its caches too: what a busy till does to its neighbours.

With `--idle` it takes nobody's time: it only keeps a core from resting, and leaves the caches alone.
"""

import hashlib
import os
import sys

_BLOCK_BYTES = 1 << 20
_SMALL_BYTES = 1 << 10


def main() -> None:
    """Hash for ever."""
    idle = "--idle" in sys.argv[1:]
    if idle:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    block = bytes(_SMALL_BYTES if idle else _BLOCK_BYTES)
    digest = b""
    while True:
        digest = hashlib.sha256(digest + block).digest()


if __name__ == "__main__":
    main()
