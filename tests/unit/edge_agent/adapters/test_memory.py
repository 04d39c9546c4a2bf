"""Settling after the start."""

import gc

from edge_agent.adapters.memory import settle


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
