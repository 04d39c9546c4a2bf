"""What can go wrong in the simulated world that a person can do something about."""

from wire_protocol.errors import TopscoopError


class SimulatorError(TopscoopError):
    """The root of the simulator's own errors."""


class RenderingUnavailable(SimulatorError):
    """The packages that draw characters are not installed."""


class CacheUnusable(SimulatorError):
    """The folder for rendered characters cannot be written."""
