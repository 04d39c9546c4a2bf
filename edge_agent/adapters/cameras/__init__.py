"""Everything that a till may look through."""

from edge_agent.adapters.cameras.opening import open_camera

__all__ = ["open_camera"]
