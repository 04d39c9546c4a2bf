"""What can go wrong around consent keys and erasure, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class KeyGone(TopscoopError):
    """The consent's key was destroyed, or never issued: nothing sealed to it can be opened by anybody."""


class OpeningRefused(TopscoopError):
    """A frame is not opened: its consent ended or does not cover it, or the object is not what it was."""


class UnknownFrame(OperatorError):
    """No frame of that id is stored for the tenant."""


class UnknownCode(OperatorError):
    """No consent has this withdrawal code."""


class KeysNotScrubbed(TopscoopError):
    """Keys were destroyed, but the database's files may still hold old copies; it is tried again."""


class MasterKeyAway(TopscoopError):
    """The master key's service does not answer; nothing was wrapped or unwrapped."""


class MasterKeyError(OperatorError):
    """The master key is missing, damaged, readable for others, or not the one that wrapped these keys."""
