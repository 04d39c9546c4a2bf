"""Identity providers, people and logins under way. Pure."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self

from cloud.identity.encoding import base64url


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the identity provider vouches for.

    Attributes:
        subject: The provider's stable id of the person; unique within the issuer, and nothing else is.
        name: For greeting only; never looked up. The public API does not ask for it.
    """

    issuer: str
    subject: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider, and what we are there.

    Attributes:
        issuer: Exactly as the provider calls itself.
        client_id: Ours.
        client_secret: Ours; None for a public client, which PKCE protects.
        label: On the button.
        audience: Of access tokens that clients bring from there; None: none are taken.
        token_endpoint: Where its own description does not name it.
        stored: Whether it is a row; the development provider that serves by default is none.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    label: str = ""
    audience: str | None = None
    token_endpoint: str | None = None
    stored: bool = True

    @property
    def key(self) -> str:
        """Its name in addresses of ours: 12 hex digits that stay the same."""
        return issuer_key(self.issuer)


def issuer_key(issuer: str) -> str:
    """The name of an issuer in addresses and file names."""
    return hashlib.sha256(issuer.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What the browser keeps while its owner is at the provider, in a cookie of this host.

    It is not secret from the person who logs in, and not signed: whoever could write it into the browser
    could log that browser in as themselves anyway; `__Host-` keeps neighbours from doing so.
    """

    state: str
    nonce: str
    verifier: str
    goal: str
    issuer: str

    def text(self) -> str:
        """As a cookie's value."""
        return base64url(json.dumps(asdict(self)).encode())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `text` wrote; None for anything else."""
        try:
            value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            attempt = cls(**value)
        except (ValueError, TypeError, RecursionError):
            return None
        return attempt if all(isinstance(one, str) and one for one in asdict(attempt).values()) else None


class KeySource(Protocol):
    """The public keys of one issuer."""

    def find(self, kid: str | None, algorithm: str) -> Any:
        """The key of this id for this algorithm; None where none or several fit. Raises ProviderAway."""
