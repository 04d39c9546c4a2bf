"""What the model registry refuses, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class RegistryError(TopscoopError):
    """The root of this package's errors."""


class UnusableDataset(OperatorError, RegistryError):
    """A data folder is missing, incomplete, of another format, or does not match its digest."""


class UnusableCheckpoint(OperatorError, RegistryError):
    """A training folder lacks what the next step needs, or was begun with other options."""


class MissingPackages(OperatorError, RegistryError):
    """A command needs packages of an extra that is not installed."""


class WorldFailed(RegistryError):
    """The simulator's process ended before it had delivered what was asked for."""


class CheckFailed(RegistryError):
    """Figures computed again differ from the committed report."""
