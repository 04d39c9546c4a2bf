"""What can go wrong at a page, each with the HTTP status that says so."""

from typing import ClassVar

from wire_protocol.errors import OperatorError


class PageError(OperatorError):
    """A page cannot be shown, or a form not be taken."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "That did not work"


class NotLoggedIn(PageError):
    """There is no session, or it has ended."""

    status = 401
    title = "Please log in"


class ForgedRequest(PageError):
    """A form that does not come from this console's own pages."""

    status = 403
    title = "Not accepted"


class UnknownOperator(PageError):
    """The identity provider knows this person, and no chain does."""

    status = 403
    title = "You have no access yet"


class NotFound(PageError):
    """There is nothing of that name in this chain."""

    status = 404
    title = "Not found"


class BadQuery(PageError):
    """Something in the address or in a form cannot be read."""

    status = 400
    title = "That cannot be read"


class TooManyStreams(PageError):
    """More pages are live than this process serves."""

    status = 503
    title = "Too many live pages"
