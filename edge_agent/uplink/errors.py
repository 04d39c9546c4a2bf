"""What can go wrong on the way up, by whose fault it is."""

from wire_protocol.errors import TopscoopError


class SpoolError(TopscoopError):
    """The register's disk refused; nothing of the call was stored, and it may be repeated."""


class SpoolFullError(SpoolError):
    """The spool has no room for another interaction or outcome; they wait in the journal."""
