"""Pictures come second: a till's request does not wait for the next one to be decoded."""

import os
import threading
from typing import Final

_NICER: Final = 5
"""Still ahead of a till's own programs where the service runs at -15, and behind our own event loop."""


def yield_to_requests() -> None:
    """Make the calling thread nicer than the rest of the process. Linux counts niceness by thread."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER)
