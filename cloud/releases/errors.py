"""What can go wrong with a chain's releases."""

from wire_protocol.errors import OperatorError, TopscoopError


class ReleasesAway(TopscoopError):
    """The store of releases cannot be reached, or answered that it has trouble: try again later."""


class FileMissing(TopscoopError):
    """The chain's repository has no such file."""


class ReleasesRefused(OperatorError):
    """Folder, bucket, credentials or rights are wrong: trying again helps nothing."""


class NotVerified(TopscoopError):
    """A repository's signed metadata cannot be believed, or says what cannot be; nothing of it is used."""


class BadRoot(OperatorError):
    """What shall be trusted is no signed root metadata."""


class AlreadyTrusted(OperatorError):
    """The chain has another trusted root."""


class NothingTrusted(OperatorError):
    """The chain has no trusted root yet."""
