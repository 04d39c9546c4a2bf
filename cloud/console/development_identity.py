"""An identity provider for development: lets in whoever asks, as whom they like. Never for real operators."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cloud.config import CloudConfig
from cloud.errors import PortBusy, StandInRefused
from daemon.errors import ConfigError
from daemon.log_fields import fields

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

log = logging.getLogger(__name__)

PEOPLE: Final = {
    "vera": "Vera Viewer",
    "otto": "Otto Operator",
    "olga": "Olga Operator",
    "anna": "Anna Admin",
}
"""Subjects that its page offers with one click; `topscoop cloud operator add` gives them roles."""
WARNING: Final = "this identity provider asks for no password: everybody who reaches it is whoever they say"


def build_identity(config: CloudConfig, host: str, port: int) -> "BaseWSGIServer":
    """The provider, listening; `serve_forever` runs it, `shutdown` from another thread ends it.

    Args:
        config: Must be of development; `console.oidc_issuer` is what it calls itself, however it is reached.
        host: Address to listen on.
        port: TCP port; 0 lets the system choose one.

    Raises:
        StandInRefused: The environment is not `development`.
        ConfigError: Its package is not installed, or no issuer is named.
        PortBusy: Another program listens there.
    """
    if not config.development:
        raise StandInRefused(
            f"not in production: {WARNING}",
            remedy='Use a real identity provider; only `environment = "development"` allows this one.',
        )
    try:
        with warnings.catch_warnings():
            # It still uses a part of Authlib that is going away; not ours to mend.
            warnings.simplefilter("ignore", DeprecationWarning)
            import oidc_provider_mock
            import werkzeug.serving
    except ImportError as error:
        raise ConfigError(
            "oidc-provider-mock is not installed",
            remedy="It comes with the extra `sim`: pip install topscoop[sim].",
        ) from error
    # Authlib takes plain HTTP from `localhost` alone; ours may be called `identity.localhost`.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    users = [oidc_provider_mock.User(sub=sub, claims={"name": name}) for sub, name in PEOPLE.items()]
    app = oidc_provider_mock.app(require_nonce=True, issue_refresh_token=False, user_claims=users)
    log.warning("stand_in.used", extra=fields(what=WARNING))
    try:
        server = werkzeug.serving.make_server(host, port, app, threaded=True)
    except (OSError, SystemExit) as error:
        raise PortBusy(f"cannot listen on {host}:{port}", remedy="Give another --port.") from error
    issuer = config.console.oidc_issuer or f"http://localhost:{server.server_port}"
    server.app = called(app, issuer)
    return server


def called(app: Any, issuer: str) -> Callable[..., Iterable[bytes]]:
    """The application under the name `issuer`, whatever address a request came to; its pages load nothing."""
    address = urlsplit(issuer)

    def renamed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["HTTP_HOST"] = address.netloc
        environ["wsgi.url_scheme"] = address.scheme
        answer: Iterable[bytes] = app(environ, partial(_loading_nothing, start_response))
        return answer

    return renamed


def _loading_nothing(
    start_response: Any, status: str, headers: list[tuple[str, str]], exc_info: Any = None
) -> Any:
    """The package's pages ask a CDN for their looks: nothing of a demo leaves the machine for that."""
    policy = ("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
    return start_response(status, [*headers, policy], exc_info)
