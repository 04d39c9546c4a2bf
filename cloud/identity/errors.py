"""What can go wrong between us, a person, and the identity provider that vouches for them."""

from wire_protocol.errors import OperatorError, TopscoopError


class LoginFailed(OperatorError):
    """The identity provider's answer was not accepted, or it describes itself in a way that is not."""


class ProviderAway(OperatorError):
    """The identity provider does not answer."""


class TokenRefused(TopscoopError):
    """A token is not accepted.

    Args:
        check: The number of the check that it failed, as `docs/public-api-login.md` lists them.
        message: What was wrong, without anything that the token holds.
    """

    def __init__(self, check: int, message: str) -> None:
        super().__init__(message)
        self.check = check


class UserKeyUnusable(OperatorError):
    """The secret that a chain's pseudonyms are made with is missing, damaged or open to others."""


class IssuerSecretUnusable(OperatorError):
    """Our secret at an identity provider cannot be read, or is open to others."""


class UnknownPreset(OperatorError):
    """No identity provider of that name is known by heart."""


class IssuerRefused(OperatorError):
    """An identity provider's address cannot be used here."""
