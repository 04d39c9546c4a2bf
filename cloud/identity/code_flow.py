"""Login at an identity provider: authorization code with PKCE. Authlib makes the requests.

OpenID Connect Core 1.0, 3.1; RFC 6749, 4.1; RFC 7636; RFC 9207; RFC 9700.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client

from cloud.identity.description import Description
from cloud.identity.errors import LoginFailed, TokenRefused
from cloud.identity.id_token import same, verify_id_token
from cloud.identity.kept import away
from cloud.identity.local_path import local_path
from cloud.identity.provider import OpenIdProvider
from cloud.identity.values import Identity, LoginAttempt
from daemon.log_fields import fields

log = logging.getLogger(__name__)

LOGIN_MINUTES: Final = 10
"""So long a person may take at the provider."""
_AGAIN: Final = "Start again from the login page."


class CodeFlow:
    """Logins at one provider, as one client of its.

    Args:
        provider: Where.
        client_id: Ours.
        client_secret: Ours; None for a public client, which PKCE protects.
        redirect_uri: Where the provider sends browsers back to; no other issuer has the same one, where
            there are several.
        now_s: Seconds since 1970.
        home: Where a browser goes whose goal is no page of ours.
        scope: What is asked for; `openid` alone gives no name.
    """

    def __init__(
        self,
        provider: OpenIdProvider,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        *,
        now_s: Callable[[], float],
        home: str,
        scope: str,
    ) -> None:
        self._provider = provider
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._now_s = now_s
        self._home = home
        self._scope = scope

    @property
    def issuer(self) -> str:
        """Whose logins these are."""
        return self._provider.issuer

    def begin(self, goal: str) -> tuple[LoginAttempt, str]:
        """What the browser shall keep, and where it shall go.

        Raises:
            ProviderAway: The provider does not answer.
            LoginFailed: It describes itself in a way that is not accepted.
        """
        described = self._provider.description()
        attempt = LoginAttempt(
            # Check 7 (RFC 6749, 10.12): 256 bits that only this browser keeps.
            state=secrets.token_urlsafe(32),
            # Check 8 (Core 3.1.2.1, 15.5.2): and 256 that the ID token must repeat.
            nonce=secrets.token_urlsafe(32),
            # Check 9 (RFC 7636, 4.1 and 4.2): 43 to 128 characters of which the provider sees the S256 alone.
            verifier=secrets.token_urlsafe(48),
            goal=local_path(goal, self._home),
            issuer=self.issuer,
        )
        with self._client(described) as client:
            url, _ = client.create_authorization_url(
                described.authorization_endpoint,
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
                response_type="code",
            )
        return attempt, str(url)

    def finish(self, attempt: LoginAttempt | None, answer: Mapping[str, str]) -> Identity:
        """Who the provider says it is.

        Args:
            attempt: What the browser kept.
            answer: The query that the provider sent the browser back with.

        Raises:
            LoginFailed: Anything does not fit.
            ProviderAway: The provider does not answer.
        """
        # Check 11 (RFC 6749, 10.12): the answer belongs to the login that this very browser began.
        if attempt is None or not same(attempt.state, answer.get("state", "")):
            raise LoginFailed("this login was not begun in this browser, or too long ago", remedy=_AGAIN)
        # Check 12 (RFC 9700, 4.4.2): it came back to the address of the provider that was asked.
        if attempt.issuer != self.issuer:
            raise LoginFailed("the answer comes from another identity provider", remedy=_AGAIN)
        described = self._provider.description()
        # Check 13 (RFC 9207, 2.4): and it says so itself, where this provider always does (mix-up).
        said = answer.get("iss")
        if said != self.issuer and (said is not None or described.names_itself):
            raise LoginFailed("the answer comes from another identity provider", remedy=_AGAIN)
        # Check 14 (RFC 6749, 4.1.2.1): it holds a code and no error.
        if "error" in answer:
            raise LoginFailed(f"the identity provider says: {answer['error'][:80]}", remedy=_AGAIN)
        if not answer.get("code"):
            raise LoginFailed("the identity provider sent no code", remedy=_AGAIN)
        token = self._exchange(described, answer["code"], attempt.verifier)
        try:
            return verify_id_token(
                token,
                self._provider,
                issuer=self.issuer,
                client_id=self._client_id,
                nonce=attempt.nonce,
                now_s=self._now_s(),
            )
        except TokenRefused as error:
            log.warning("identity.token_refused", extra=fields(issuer=self.issuer, check=error.check))
            raise LoginFailed(
                f"the identity provider's token was not accepted: {error}",
                remedy=_AGAIN + " If it stays so: clocks, keys.",
            ) from error

    def end_url(self) -> str | None:
        """Where the provider's own session is ended; None where it has no such page, or was not asked yet."""
        known = self._provider.known_description
        return None if known is None else known.end_session_endpoint

    def check(self) -> None:
        """Ask the provider for its description. Raises ProviderAway, LoginFailed."""
        self._provider.description()

    def _exchange(self, described: Description, code: str, verifier: str) -> str:
        # Check 15 (RFC 6749, 4.1.3; RFC 7636, 4.5): the code is worth nothing without the verifier and
        # the redirect address that it was asked with.
        try:
            with self._client(described) as client:
                tokens = client.fetch_token(
                    described.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=self._redirect_uri,
                    code_verifier=verifier,
                )
        except AuthlibBaseError as error:
            raise LoginFailed(
                f"the identity provider refused the code: {str(error.error)[:80]}", remedy=_AGAIN
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as error:
            raise away() from error
        token = tokens.get("id_token") if isinstance(tokens, dict) else None
        if not isinstance(token, str):
            raise LoginFailed("the identity provider sent no ID token", remedy=_AGAIN)
        return token

    def _client(self, described: Description) -> OAuth2Client:
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method="none" if self._client_secret is None else described.authentication,
            scope=self._scope,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            follow_redirects=False,
            trust_env=False,
            transport=self._provider.transport,
        )
