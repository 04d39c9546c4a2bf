"""The root of every error that Topscoop raises on purpose, and what the protocol's decoders raise."""

from wire_protocol.reasons import Reason


class TopscoopError(Exception):
    """Something went wrong that a person can do something about.

    Args:
        message: One sentence that says what happened.
        remedy: What to do next; empty where the message says it already.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class OperatorError(TopscoopError):
    """The command line, the configuration or the set-up is wrong; nothing was started."""


class RefusedMessage(TopscoopError):
    """A peer sent something that is not accepted; `reason` goes into the answer, the counter and the log."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
