"""What can go wrong when a register enrols, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class EnrolmentRefused(TopscoopError):
    """A register asked for something that it does not get; answered as RFC 9457 has it.

    Attributes:
        status: Of the HTTP answer.
        problem: The last part of the problem's type; stable.
    """

    status = 400
    problem = "bad-request"


class BadEnrolmentRequest(EnrolmentRefused):
    """The request has not the form of one, or proves not what it must."""

    status = 422
    problem = "bad-request"


class CodeRefused(EnrolmentRefused):
    """The code is unknown, or was good once."""

    status = 403

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message, remedy="Ask for a new code: `topscoop cloud register code`.")
        self.problem = problem


class RenewalRefused(EnrolmentRefused):
    """The present certificate gives no right to a new one."""

    status = 403

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message, remedy="Enrol again with a new code: `topscoop cloud register code`.")
        self.problem = problem


class TooManyRequests(EnrolmentRefused):
    """One source asks more often than enrolling takes."""

    status = 429
    problem = "too-many-requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests from this address", remedy="Try again later.")
        self.retry_after_s = retry_after_s


class PkiError(OperatorError):
    """Certificates or keys are missing, unreadable, or readable by others."""


class RegisterExists(OperatorError):
    """A register of that name was added before."""


class UnknownRegister(OperatorError):
    """No register of that name was added."""


class RegisterRevoked(OperatorError):
    """The register was revoked; its name is never given again."""
