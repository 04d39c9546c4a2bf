"""What can go wrong between us and the broker."""

from wire_protocol.errors import OperatorError, TopscoopError


class BrokerAway(TopscoopError):
    """The broker cannot be reached, or does not answer; rights stay as they were and are compared again."""


class BrokerRefused(TopscoopError):
    """The broker answered a command about rights with an error."""


class BrokerFolderError(OperatorError):
    """The broker's folder cannot be written, or lacks what it is made of."""
