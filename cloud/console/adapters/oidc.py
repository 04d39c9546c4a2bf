"""Login by OpenID Connect: code flow with PKCE. Authlib makes the requests, joserfc checks the tokens.

The numbers are those of OpenID Connect Core 1.0, section 3.1.3.7, unless an RFC is named.
"""

import hmac
import json
import secrets
import ssl
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from cloud.console.cookies import base64url
from cloud.console.errors import LoginFailed, ProviderAway
from cloud.console.local_path import local_path
from cloud.console.values import Identity

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures with a public key only: `none` and HMAC are never looked at (RFC 8725, 3.1 and 3.2)."""
LOGIN_MINUTES: Final = 10
"""So long a person may take at the provider."""
_CLOCK_SKEW_S: Final = 60
_TIMEOUT_S: Final = 8.0
_DOCUMENT_MAX_BYTES: Final = 1 << 20
_TOKEN_MAX_BYTES: Final = 16_384
_KEYS_EVERY_S: Final = 60
"""An unknown key id makes us ask for the provider's keys again, no more often than this."""
_AWAY_S: Final = 2
"""For so long a provider that did not describe itself is not asked again."""
_AGAIN: Final = "Start again from the login page."


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

    def text(self) -> str:
        """As a cookie's value."""
        return base64url(json.dumps(asdict(self)).encode())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `text` wrote; None for anything else."""
        import base64

        try:
            value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            attempt = cls(**value)
        except (ValueError, TypeError, RecursionError):
            return None
        return attempt if all(isinstance(one, str) and one for one in asdict(attempt).values()) else None


@dataclass(frozen=True, slots=True)
class _Provider:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_itself: bool


class OpenIdLogin:
    """One identity provider.

    Args:
        issuer: Exactly as the provider calls itself.
        client_id: Ours.
        client_secret: Ours; None for a public client, which PKCE protects.
        redirect_uri: Where the provider sends browsers back to.
        now_s: Seconds since 1970.
        monotonic: Seconds of a clock that never steps.
        tls: Which authorities are believed; None: the system's.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        *,
        now_s: Any,
        monotonic: Any,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._now_s = now_s
        self._monotonic = monotonic
        # Made once: reading all authorities takes longer than a login.
        self._tls = tls or ssl.create_default_context()
        self._lock = threading.Lock()
        self._provider: _Provider | None = None
        self._keys: KeySet | None = None
        self._keys_at = self._away_until = float("-inf")

    def begin(self, goal: str) -> tuple[LoginAttempt, str]:
        """What the browser shall keep, and where it shall go.

        Raises:
            ProviderAway: The provider does not answer.
            LoginFailed: It describes itself in a way that is not accepted.
        """
        attempt = LoginAttempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            # RFC 7636, 4.1: 43 to 128 characters, 256 bits of entropy.
            verifier=secrets.token_urlsafe(48),
            goal=local_path(goal),
        )
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._discover().authorization_endpoint,
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
        # RFC 6749, 10.12: the answer belongs to the login that this very browser began.
        if attempt is None or not _same(attempt.state, answer.get("state", "")):
            raise LoginFailed("this login was not begun in this browser, or too long ago", remedy=_AGAIN)
        provider = self._discover()
        # RFC 9207, 2.4: and it comes from the provider that was asked, not from another one (mix-up).
        said = answer.get("iss")
        if said != self.issuer and (said is not None or provider.names_itself):
            raise LoginFailed("the answer comes from another identity provider", remedy=_AGAIN)
        if "error" in answer:
            raise LoginFailed(f"the identity provider says: {answer['error'][:80]}", remedy=_AGAIN)
        if not answer.get("code"):
            raise LoginFailed("the identity provider sent no code", remedy=_AGAIN)
        # RFC 6749, 4.1.3 and RFC 7636, 4.5: the code is worth nothing without the verifier.
        return self._identity(self._exchange(provider, answer["code"], attempt.verifier), attempt.nonce)

    def end_url(self) -> str | None:
        """Where the provider's own session is ended; None where it has no such page, or is away."""
        return None if self._provider is None else self._provider.end_session_endpoint

    def check(self) -> None:
        """Ask the provider for its description.

        Raises:
            ProviderAway: It does not answer.
            LoginFailed: It describes itself in a way that is not accepted.
        """
        self._discover()

    # ---- the provider's documents -------------------------------------------------------------------------

    def _discover(self) -> _Provider:
        """OpenID Connect Discovery 1.0, section 4; a provider that is away is asked now and then, by one."""
        with self._lock:
            if self._provider is None:
                # Anybody may begin a login: who comes meanwhile does not wait for the same timeout in turn.
                if self._monotonic() < self._away_until:
                    raise _away()
                try:
                    self._provider = self._read_provider()
                except ProviderAway:
                    self._away_until = self._monotonic() + _AWAY_S
                    raise
            return self._provider

    def _read_provider(self) -> _Provider:
        document = self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        # Discovery 4.3: the issuer must be exactly the one that was configured.
        if document.get("issuer") != self.issuer:
            raise LoginFailed(
                f"the identity provider calls itself {str(document.get('issuer'))[:200]!r},"
                f" not {self.issuer!r}",
                remedy="Set console.oidc_issuer to what the provider calls itself, to the letter.",
            )
        if "S256" not in document.get("code_challenge_methods_supported", ["S256"]):
            raise LoginFailed(
                "the identity provider does not know PKCE with S256",
                remedy="Use a provider that does, or switch it on there.",
            )
        end = document.get("end_session_endpoint")
        return _Provider(
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            end_session_endpoint=None if end is None else self._endpoint(document, "end_session_endpoint"),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        value = document.get(name)
        # RFC 8414, 2: https; in development the issuer itself is http, and so may be the rest.
        schemes = ("https://",) if self.issuer.startswith("https://") else ("https://", "http://")
        if not isinstance(value, str) or not value.startswith(schemes):
            raise LoginFailed(
                f"the identity provider names no usable {name}", remedy="Look at its configuration."
            )
        return value

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            old = self._monotonic() - self._keys_at
            known = self._keys
        if known is not None and (not fresh or old < _KEYS_EVERY_S):
            return known
        document = self._get(self._discover().jwks_uri)
        try:
            keys = KeySet.import_key_set(document)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise LoginFailed(
                "the identity provider's keys cannot be read", remedy="Look at its jwks_uri."
            ) from error
        with self._lock:
            self._keys, self._keys_at = keys, self._monotonic()
        return keys

    # ---- the code and the token ---------------------------------------------------------------------------

    def _exchange(self, provider: _Provider, code: str, verifier: str) -> str:
        try:
            with self._client() as client:
                tokens = client.fetch_token(
                    provider.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=self._redirect_uri,
                    code_verifier=verifier,
                )
        except AuthlibBaseError as error:
            raise LoginFailed(
                f"the identity provider refused the code: {error.error}", remedy=_AGAIN
            ) from error
        except (httpx2.HTTPError, ValueError) as error:
            raise _away() from error
        token = tokens.get("id_token")
        if not isinstance(token, str) or len(token) > _TOKEN_MAX_BYTES:
            raise LoginFailed("the identity provider sent no ID token", remedy=_AGAIN)
        return token

    def _identity(self, token: str, nonce: str) -> Identity:
        try:
            claims = self._claims(token)
            registry = JWTClaimsRegistry(
                now=int(self._now_s()),
                leeway=_CLOCK_SKEW_S,
                # 2. iss is the issuer, exactly.
                iss={"essential": True, "value": self.issuer},
                # 3. aud holds our client id.
                aud={"essential": True, "value": self._client_id},
                # 9. exp lies ahead.
                exp={"essential": True},
                # 10. iat is there; joserfc refuses one that lies ahead.
                iat={"essential": True},
                # 11. nonce is the one that this browser's login began with: no replay, no injected code.
                nonce={"essential": True, "value": nonce},
                sub={"essential": True},
            )
            registry.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise LoginFailed(
                "the identity provider's token was not accepted",
                remedy=_AGAIN + " If it stays so: clocks, keys.",
            ) from error
        # 4. and 5. With several audiences, or azp, the token was made for us and nobody else.
        audience = claims["aud"]
        party = claims.get("azp")
        if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in {
            None,
            self._client_id,
        }:
            raise LoginFailed("the identity provider's token is for another client", remedy=_AGAIN)
        subject = claims["sub"]
        # 2: sub has at most 255 ASCII characters.
        if not isinstance(subject, str) or not subject.isascii() or not 0 < len(subject) <= 255:
            raise LoginFailed("the identity provider's token names nobody", remedy=_AGAIN)
        name = claims.get("name") or claims.get("preferred_username") or claims.get("email") or subject
        return Identity(self.issuer, subject, str(name)[:200])

    def _claims(self, token: str) -> dict[str, Any]:
        # 6. to 8. The signature, under a key of the provider's that the header names (RFC 8725, 3.1).
        # The keys come from the provider's own document alone: jku, jwk and x5u of a header are never read.
        try:
            return dict(jwt.decode(token, self._key_set(fresh=False), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            # Perhaps the provider has new keys.
            return dict(jwt.decode(token, self._key_set(fresh=True), algorithms=list(ALGORITHMS)).claims)

    # ---- HTTP ---------------------------------------------------------------------------------------------

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method="none" if self._client_secret is None else "client_secret_basic",
            scope="openid profile",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
            follow_redirects=False,
            verify=self._tls,
        )

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with (
                httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, verify=self._tls) as client,
                client.stream("GET", url) as answer,
            ):
                if answer.status_code != 200:
                    raise _away()
                data = bytearray()
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > _DOCUMENT_MAX_BYTES:
                        raise _away()
            document = json.loads(bytes(data))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise _away() from error
        if not isinstance(document, dict):
            raise _away()
        return document


def _away() -> ProviderAway:
    return ProviderAway("the identity provider does not answer", remedy="Try again in a minute.")


def _same(one: str, other: str) -> bool:
    """In a time that tells nothing; of any text, where `hmac.compare_digest` takes ASCII alone."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
