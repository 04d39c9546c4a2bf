"""Who calls the public API: a person or a machine of one chain, known by a pseudonym alone."""

from dataclasses import dataclass
from enum import StrEnum

USER_BYTES = 32


class CallerKind(StrEnum):
    """How somebody showed who they are."""

    BROWSER = "browser"  # a session's cookie, after a login at an identity provider
    DEVICE = "device"  # a token that a browser's owner approved (RFC 8628)
    MACHINE = "machine"  # a token for client credentials (RFC 6749, 4.4)
    BEARER = "bearer"  # an access token of the identity provider's own (RFC 9068)


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller, authenticated; every statement of theirs names `tenant`, and `user` where rows are theirs.

    Attributes:
        tenant: From the host, and equal to what the credential belongs to.
        user: `HMAC-SHA256(secret of the tenant, issuer and subject)`; no name, no address.
        session: SHA-256 of the session's secret; None for an access token of the provider's own.
        csrf: What a browser's changing requests must carry; None where no cookie is used.
    """

    tenant: str
    user: bytes
    kind: CallerKind
    session: bytes | None = None
    csrf: bytes | None = None

    def __repr__(self) -> str:
        """Without the session."""
        return f"Caller({self.tenant}, {self.kind})"
