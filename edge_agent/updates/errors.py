"""What can go wrong with the register's releases, by whose fault it is."""

from edge_agent.errors import ConflictError
from wire_protocol.errors import TopscoopError


class StateError(TopscoopError):
    """The register's disk refused the state of its releases; nothing was changed, and it may be repeated."""


class NothingBeforeError(ConflictError):
    """No release is in use: there is nothing to go back from."""


def nothing_before() -> NothingBeforeError:
    """The one way to say it."""
    return NothingBeforeError(
        "no release of the chain is in use here: there is nothing to go back from",
        remedy="Ask the operator to roll out another release.",
    )
