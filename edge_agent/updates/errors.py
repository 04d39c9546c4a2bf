"""What can go wrong with the register's releases, by whose fault it is."""

from edge_agent.errors import ConflictError
from wire_protocol.errors import TopscoopError


class StateError(TopscoopError):
    """The register's disk refused the state of its releases; nothing was changed, and it may be repeated."""


class NothingBeforeError(ConflictError):
    """There is no model to go back to that this register may run."""


def nothing_before() -> NothingBeforeError:
    """The one way to say it."""
    return NothingBeforeError(
        "there is no model before this one that this register may run",
        remedy="Ask the operator to roll out another release.",
    )
