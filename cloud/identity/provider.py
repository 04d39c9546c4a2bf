"""One identity provider: what it says of itself, and its keys, asked for when they are needed."""

import ssl
from collections.abc import Callable
from typing import Any, Final

import httpx2

from cloud.identity.addresses import origin_of
from cloud.identity.description import Description, read_description
from cloud.identity.encoding import strict_json
from cloud.identity.errors import LoginFailed
from cloud.identity.fetching import BoundedTransport
from cloud.identity.kept import Kept, away
from cloud.identity.public_keys import PublicKeys

_DISCOVERY: Final = "/.well-known/openid-configuration"


class OpenIdProvider:
    """Its documents, each kept for a while; may be used by several threads at once.

    Args:
        issuer: Exactly as the provider calls itself.
        token_endpoint: Where its description names none.
        monotonic: Seconds of a clock that never steps.
        tls: Which authorities are believed.
    """

    def __init__(
        self,
        issuer: str,
        *,
        monotonic: Callable[[], float],
        tls: ssl.SSLContext,
        token_endpoint: str | None = None,
    ) -> None:
        self.issuer = issuer
        self._token_endpoint = token_endpoint
        self._own = origin_of(issuer)
        self._transport = BoundedTransport(self._own, self._allows, monotonic, tls)
        self._description = Kept(self._read_description, monotonic)
        self._keys = Kept(self._read_keys, monotonic)

    @property
    def transport(self) -> BoundedTransport:
        """What every request to it goes through."""
        return self._transport

    @property
    def known_description(self) -> Description | None:
        """What it said of itself, if it was asked before; asks nobody."""
        return self._description.value

    def description(self) -> Description:
        """What it says of itself. Raises ProviderAway, LoginFailed."""
        return self._description.get()

    def find(self, kid: str | None, algorithm: str) -> Any:
        """As `KeySource`: an id that is not there makes us look again, once a minute at most."""
        found = self._keys.get().find(kid, algorithm)
        return self._keys.newer().find(kid, algorithm) if found is None else found

    def _allows(self, origin: tuple[str, str, int]) -> bool:
        known = self._description.value
        if origin == self._own:
            return True
        named = () if known is None else (known.token_endpoint, known.jwks_uri)
        return any(origin == origin_of(one) for one in named)

    def _read_description(self) -> Description:
        document = self._get(self.issuer.rstrip("/") + _DISCOVERY)
        return read_description(document, self.issuer, self._token_endpoint)

    def _read_keys(self) -> PublicKeys:
        document = self._get(self.description().jwks_uri)
        try:
            keys = PublicKeys.read(document)
        except ValueError as error:
            raise LoginFailed(
                "the identity provider's keys cannot be read", remedy="Look at its jwks_uri."
            ) from error
        if not len(keys):
            raise LoginFailed(
                "the identity provider has no key that may be used", remedy="Look at its jwks_uri."
            )
        return keys

    def _get(self, url: str) -> dict[str, Any]:
        # Check 3: no redirect is followed: an answer that is not 200 is none.
        try:
            with httpx2.Client(transport=self._transport, follow_redirects=False, trust_env=False) as client:
                answer = client.get(url, headers={"Accept": "application/json"})
            if answer.status_code != 200:
                raise away()
            return strict_json(answer.content)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise away() from error
