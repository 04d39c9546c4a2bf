"""The event loop of services that many clients talk to at once."""

import asyncio


def fast_loop() -> "type[asyncio.AbstractEventLoop] | None":
    """The loop of uvloop, where it is installed: a message costs less. None: that of asyncio."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
