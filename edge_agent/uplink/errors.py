"""What can go wrong on the way up, by whose fault it is."""

from wire_protocol.errors import TopscoopError


class SpoolError(TopscoopError):
    """The register's disk refused; nothing of the call was stored, and it may be repeated."""


class SpoolFullError(SpoolError):
    """The spool has no room for another interaction or outcome; they wait in the journal."""


def no_room(small_bytes: int) -> SpoolFullError:
    """The error for an event beyond the spool's bounds; every spool says it in the same words."""
    return SpoolFullError(
        f"the spool holds {small_bytes} bytes of small messages and takes no more of them",
        remedy="Sales wait in the journal; `topscoop edge doctor` tells why nothing is delivered.",
    )
