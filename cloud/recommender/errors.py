"""What can go wrong with recommending; what is wrong with an upload is its ending, and no error."""

from wire_protocol.errors import TopscoopError


class UnusableModel(TopscoopError):
    """A chain's champion is not what was signed, or does not load: other releases are not affected."""
