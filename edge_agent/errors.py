"""What can go wrong on a register, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class RequestError(TopscoopError):
    """A client of the local API asked for something that cannot be done; `status` is the HTTP status."""

    status = 400


class BadRequestError(RequestError):
    """The request makes sense as JSON but not to us: a number out of range, too many lines."""

    status = 422


class UnknownInteractionError(RequestError):
    """No interaction of that id was opened here."""

    status = 404


class ConflictError(RequestError):
    """The same idempotency key, or the same menu version, was used before with other content."""

    status = 409


class UnknownFlavourError(RequestError):
    """The menu or a sale names a flavour that the catalogue lacks."""

    status = 422


class ModelRefusedError(RequestError):
    """The model that was asked for cannot be used here; the one before goes on."""

    status = 422


class NothingToAnswerError(RequestError):
    """No picture of that interaction waits for the customer's answer."""

    status = 409


class UnknownNoticeError(RequestError):
    """The customer was shown another notice than this register's."""

    status = 422


class NoBlanksError(RequestError):
    """No consent blank is left, so nobody could ever open or erase the picture: nothing is kept."""

    status = 503


class NoHandoverError(RequestError):
    """No phone could answer a code now."""

    status = 503


class WithdrawalRefusedError(RequestError):
    """The code is not the one of that consent."""

    status = 403


class TooManySubscribersError(RequestError):
    """More programs listen to `/v1/events` than the agent serves."""

    status = 503


class CameraError(TopscoopError):
    """The camera cannot be opened or gives no pictures; the agent goes on with best-sellers."""


class JournalError(TopscoopError):
    """The register's disk refused a record; nothing was acknowledged."""


class DataFolderError(OperatorError):
    """The data folder cannot be made or written to."""


class DataFolderBusyError(DataFolderError):
    """Another agent runs on the same data folder."""


class PortBusyError(OperatorError):
    """Another program listens on the address of the local API."""
