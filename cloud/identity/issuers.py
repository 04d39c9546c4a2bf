"""The identity providers of each chain: who may log in there, and whose access tokens are taken."""

import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Final

from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.identity.access_token import parse_access_token, verify_access_token
from cloud.identity.adapters.issuers import list_issuers
from cloud.identity.addresses import check_issuer
from cloud.identity.code_flow import CodeFlow
from cloud.identity.errors import TokenRefused
from cloud.identity.provider import OpenIdProvider
from cloud.identity.pseudonyms import user_of
from cloud.identity.secret_files import IssuerSecrets, UserKeys
from cloud.identity.values import Identity, Issuer

DEVELOPMENT_CLIENT: Final = "topscoop-public-api"
_PROVIDERS_MAX: Final = 256
"""Providers whose documents are kept; who was asked longest ago is forgotten first."""


class Issuers:
    """One for each process; may be used by several threads at once.

    Args:
        config: Of the cloud.
        database: Where the chains' providers stand.
        now_ms: The clock.
        monotonic: Seconds of a clock that never steps.
        tls: Which authorities are believed; None: the system's.
    """

    def __init__(
        self,
        config: CloudConfig,
        database: Database,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._database = database
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._given_tls = tls
        self._secrets = IssuerSecrets(config.state_dir)
        self._users = UserKeys(config.state_dir)
        self._lock = threading.Lock()
        self._providers: OrderedDict[tuple[str, str | None], OpenIdProvider] = OrderedDict()

    def of(self, tenant: str) -> list[Issuer]:
        """Where people of a chain log in, by label; without secrets.

        In development a chain that named none has the development provider, if `console.oidc_issuer` is set.

        Raises:
            DatabaseAway: The database does not answer.
            IssuerRefused: A provider comes by http, and this is not development.
        """
        with self._database.tenant(tenant, read_only=True) as connection:
            found = list_issuers(connection, tenant)
        development = self._config.development
        console = self._config.console
        if not found and development and console.oidc_issuer is not None:
            found = [
                Issuer(console.oidc_issuer, DEVELOPMENT_CLIENT, None, "Topscoop development", stored=False)
            ]
        for one in found:
            check_issuer(one.issuer, development=development)
        return found

    def flow(self, tenant: str, key: str, redirect_uri: str, home: str) -> tuple[Issuer, CodeFlow] | None:
        """Logins at one of them; None where the chain has none of this key.

        Args:
            tenant: The chain.
            key: `Issuer.key`.
            redirect_uri: Where the provider sends browsers back to: no other one's is the same (check 10).
            home: Where a browser goes whose goal is no page of ours.

        Raises:
            IssuerSecretUnusable: Our secret there cannot be read.
            DatabaseAway, IssuerRefused: As `of`.
        """
        found = next((one for one in self.of(tenant) if one.key == key), None)
        if found is None:
            return None
        flow = CodeFlow(
            self._provider(found),
            found.client_id,
            self._secret(tenant, found),
            redirect_uri,
            now_s=self._now_s,
            home=home,
            # A name would only have to be forgotten.
            scope="openid",
        )
        return found, flow

    def bearer(self, tenant: str, text: str) -> Identity:
        """Whose access token this is, of a provider that this chain takes them from.

        Raises:
            TokenRefused: It is not accepted; nobody was asked for the sake of what the token says.
            ProviderAway: The provider's keys are needed, and it does not answer.
            LoginFailed: The provider describes itself in a way that is not accepted.
            DatabaseAway, IssuerRefused: As `of`.
        """
        token = parse_access_token(text)
        named = token.unverified_issuer()
        # Check 33 (RFC 9068, 4): one of this chain's own providers, with an audience. What it names is looked
        # up among them and never asked for.
        found = next((one for one in self.of(tenant) if one.issuer == named), None)
        if found is None or found.audience is None:
            raise TokenRefused(33, "this chain takes no access tokens of its issuer")
        return verify_access_token(
            token,
            self._provider(found),
            issuer=found.issuer,
            audience=found.audience,
            now_s=self._now_s(),
        )

    def user(self, tenant: str, identity: Identity) -> bytes:
        """The pseudonym of somebody: all that is kept of who they are. Raises UserKeyUnusable."""
        return user_of(self._users.secret(tenant), identity.issuer, identity.subject)

    def _provider(self, issuer: Issuer) -> OpenIdProvider:
        key = issuer.issuer, issuer.token_endpoint
        with self._lock:
            found = self._providers.pop(key, None)
            if found is None:
                found = OpenIdProvider(
                    issuer.issuer,
                    token_endpoint=issuer.token_endpoint,
                    monotonic=self._monotonic,
                    tls=self._tls,
                )
            self._providers[key] = found
            if len(self._providers) > _PROVIDERS_MAX:
                self._providers.popitem(last=False)
            return found

    def _secret(self, tenant: str, issuer: Issuer) -> str | None:
        if not issuer.stored:
            return self._config.console.oidc_client_secret or "development"
        return self._secrets.read(tenant, issuer.issuer)

    def _now_s(self) -> float:
        return self._now_ms() / 1000

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Made once: reading all authorities takes longer than a login.
        return self._given_tls or ssl.create_default_context()
