"""What operators ask of jobs, and cannot have."""

from wire_protocol.errors import OperatorError


class NoSuchJob(OperatorError):
    """There is no such job, or somebody works on it at this moment."""


class NothingToRetry(OperatorError):
    """What the job was for is gone."""
