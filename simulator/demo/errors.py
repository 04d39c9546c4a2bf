"""What can go wrong in the demo, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class DemoError(TopscoopError):
    """The demo could not start, or did not stay whole."""


class AgentFailedError(DemoError):
    """An edge agent did not get ready, or ended by itself."""


class ServiceFailedError(DemoError):
    """A service of the demo's cloud did not get ready, refused, or ended by itself."""


class ModelMismatchError(OperatorError):
    """The model directory does not fit the simulated chain."""


class PagePortBusyError(OperatorError):
    """Another program listens on the port of the demo page."""
