"""`topscoop cloud issuer add|list|remove`: the identity providers whose people a chain lets in."""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.config import CloudConfig
    from cloud.identity.values import Issuer

_SECRET_MAX_BYTES = 4096
_CLIENT_ID_MAX = 200


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `issuer` to `topscoop cloud`."""
    issuer = verbs.add_parser(
        "issuer",
        help="the identity providers whose people a chain lets in",
        description="The identity providers (OpenID Connect) where customers of a chain log in to its API. "
        "Nobody registers with us, and neither names nor addresses are kept.",
    )
    actions = issuer.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = actions.add_parser(
        "add",
        help="let people of a provider in, or change what we are there",
        description="Register a web application at the provider first; this prints the redirect address that "
        "it asks for. Run it again to change a client id or a secret.",
    )
    listing = actions.add_parser("list", help="list a chain's providers")
    remove = actions.add_parser(
        "remove", help="end a provider and every session that it vouched for, at once"
    )
    add.add_argument("--preset", metavar="NAME", help="google, facebook or development")
    add.add_argument("--label", metavar="WORDS", help="on the button; default: the preset's, or the host")
    add.add_argument("--client-id", metavar="ID", help="our client id there")
    add.add_argument(
        "--client-secret-file", metavar="FILE", help="file that holds our secret there; -: standard input"
    )
    add.add_argument(
        "--audience", metavar="NAME", help="also take the provider's own access tokens (JWT) made for this"
    )
    add.add_argument("--token-endpoint", metavar="URL", help="where the provider's description names none")
    for parser in (add, remove):
        parser.add_argument(
            "--issuer", metavar="URL", required=parser is remove, help="exactly as the provider calls itself"
        )
    for parser, run in ((add, run_add), (listing, run_list), (remove, run_remove)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="the chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_add(args: argparse.Namespace) -> int:
    """Let people of a provider in."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.identity.adapters.issuers import put_issuer
    from cloud.identity.secret_files import IssuerSecrets
    from cloud.operations.tenants import known_tenant

    config = config_of(args)
    issuer = _wanted(args, config)
    secret = _secret(args, config)
    secrets = IssuerSecrets(config.state_dir)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        # The secret first: a provider that stands in the database can be used.
        if secret is not None:
            secrets.write(args.tenant, issuer.issuer, secret)
        with database.tenant(args.tenant) as connection:
            put_issuer(connection, args.tenant, issuer, now_ms(), actor=f"operator:{getpass.getuser()}")
    document = _document(config, args.tenant, issuer)
    if args.json:
        print(json.dumps(document))
        return 0
    print(f"{issuer.label}: people of {issuer.issuer} may log in to {args.tenant}")
    print(f"  next: at the provider, allow the redirect address {document['redirect_uri']}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List a chain's providers."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.identity.adapters.issuers import list_issuers
    from cloud.operations.tenants import known_tenant

    config = config_of(args)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant, read_only=True) as connection:
            found = list_issuers(connection, args.tenant)
    if args.json:
        print(json.dumps([_document(config, args.tenant, one) for one in found]))
        return 0
    for one in found:
        tokens = f", takes access tokens for {one.audience}" if one.audience else ""
        print(f"{one.label:<20}  {one.issuer}  (client {one.client_id}{tokens})")
    if not found:
        print(f"none yet; add one: topscoop cloud issuer add --tenant {args.tenant} --preset google …")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """End a provider."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.identity.adapters.issuers import remove_issuer
    from cloud.identity.secret_files import IssuerSecrets
    from cloud.operations.tenants import known_tenant
    from daemon.errors import ConfigError

    config = config_of(args)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        actor = f"operator:{getpass.getuser()}"
        with database.tenant(args.tenant) as connection:
            if not remove_issuer(connection, args.tenant, args.issuer, now_ms(), actor=actor):
                raise ConfigError(
                    f"{args.issuer!r:.100} is no provider of {args.tenant}",
                    remedy=f"`topscoop cloud issuer list --tenant {args.tenant}` names them all.",
                )
    IssuerSecrets(config.state_dir).delete(args.tenant, args.issuer)
    if args.json:
        print(json.dumps({"tenant": args.tenant, "issuer": args.issuer, "removed": True}))
    else:
        print(f"{args.issuer}: removed; who came from there is logged out")
    return 0


def _wanted(args: argparse.Namespace, config: "CloudConfig") -> "Issuer":
    from urllib.parse import urlsplit

    from cloud.identity.addresses import check_issuer
    from cloud.identity.issuers import DEVELOPMENT_CLIENT
    from cloud.identity.presets import DEVELOPMENT, preset
    from cloud.identity.values import Issuer
    from daemon.errors import ConfigError

    issuer, label, token_endpoint, client_id = args.issuer, args.label, args.token_endpoint, args.client_id
    if args.preset == DEVELOPMENT:
        issuer = issuer or config.console.oidc_issuer
        label, client_id = label or "Topscoop development", client_id or DEVELOPMENT_CLIENT
    elif args.preset is not None:
        known = preset(args.preset)
        issuer, label = issuer or known.issuer, label or known.label
        token_endpoint = token_endpoint or known.token_endpoint
    if issuer is None or client_id is None:
        raise ConfigError(
            "which provider, and who are we there?",
            remedy="Give --preset or --issuer, and the --client-id that the provider gave us.",
        )
    check_issuer(issuer, development=config.development)
    if token_endpoint is not None:
        check_issuer(token_endpoint, development=config.development)
    label = (label or urlsplit(issuer).hostname or issuer)[:100]
    if not 0 < len(client_id) <= _CLIENT_ID_MAX or (args.audience is not None and not args.audience.strip()):
        raise ConfigError(
            f"--client-id has 1 to {_CLIENT_ID_MAX} characters, and --audience at least one",
            remedy="Copy them from the provider; leave --audience out where its access tokens are not taken.",
        )
    return Issuer(issuer, client_id, None, label, args.audience, token_endpoint)


def _secret(args: argparse.Namespace, config: "CloudConfig") -> str | None:
    import sys
    from pathlib import Path

    from cloud.identity.presets import DEVELOPMENT
    from daemon.errors import ConfigError

    if args.client_secret_file is None:
        # The development provider takes any secret, and wants one.
        return (config.console.oidc_client_secret or DEVELOPMENT) if args.preset == DEVELOPMENT else None
    if args.client_secret_file == "-":  # noqa: S105 - the usual word for standard input
        return sys.stdin.read(_SECRET_MAX_BYTES).strip()
    try:
        return Path(args.client_secret_file).read_text("utf-8")[:_SECRET_MAX_BYTES].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{args.client_secret_file} cannot be read", remedy="It holds the secret alone, in one line."
        ) from error


def _document(config: "CloudConfig", tenant: str, issuer: "Issuer") -> dict[str, Any]:
    base = config.public_api.public_url.replace("{tenant}", tenant)
    return {
        "tenant": tenant,
        "issuer": issuer.issuer,
        "label": issuer.label,
        "client_id": issuer.client_id,
        "audience": issuer.audience,
        "token_endpoint": issuer.token_endpoint,
        "redirect_uri": f"{base}/login/callback/{issuer.key}",
    }
