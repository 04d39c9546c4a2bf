"""`topscoop cloud api-client add|list|remove`: machines that use a chain's API with an id and a secret."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `api-client` to `topscoop cloud`."""
    client = verbs.add_parser(
        "api-client",
        help="machines that use a chain's API with credentials of their own",
        description="Clients for a partner's servers: they get tokens for an id and a secret (RFC 6749).",
    )
    actions = client.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = actions.add_parser("add", help="make an id and a secret; the secret is shown once")
    listing = actions.add_parser("list", help="list a chain's clients")
    remove = actions.add_parser("remove", help="end a client and its tokens at once")
    add.add_argument("--name", required=True, metavar="WORDS", help="what it is, for people")
    remove.add_argument("client", metavar="CLIENT", help="its id")
    for parser, run in ((add, run_add), (listing, run_list), (remove, run_remove)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="the chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_add(args: argparse.Namespace) -> int:
    """Make a client."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.public_api.adapters.api_clients import add_client

    config = config_of(args)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        actor = f"operator:{getpass.getuser()}"
        with database.tenant(args.tenant) as connection:
            made, secret = add_client(connection, args.tenant, args.name[:200], now_ms(), actor=actor)
    token_url = config.public_api.public_url.replace("{tenant}", args.tenant) + "/v1/token"
    if args.json:
        document = {"tenant": args.tenant, "client_id": made.client, "name": made.name}
        print(json.dumps({**document, "client_secret": secret, "token_url": token_url}))
        return 0
    print(f"{made.name}: added to {args.tenant}")
    print(f"  client id      {made.client}")
    print(f"  client secret  {secret}")
    print("  The secret is shown this once; we keep a hash of it.")
    print(f"  next: curl -u CLIENT_ID:SECRET -d grant_type=client_credentials {token_url}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List a chain's clients."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.public_api.adapters.api_clients import list_clients

    with open_database(config_of(args).database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant, read_only=True) as connection:
            found = list_clients(connection, args.tenant)
    if args.json:
        rows = [{"client_id": one.client, "name": one.name, "added_at_ms": one.added_at_ms} for one in found]
        print(json.dumps(rows))
        return 0
    for one in found:
        print(f"{one.client}  {one.name}")
    if not found:
        print(f"none yet; add one: topscoop cloud api-client add --tenant {args.tenant} --name WORDS")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """End a client."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.public_api.adapters.api_clients import remove_client
    from daemon.errors import ConfigError

    with open_database(config_of(args).database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        actor = f"operator:{getpass.getuser()}"
        with database.tenant(args.tenant) as connection:
            if not remove_client(connection, args.tenant, args.client, now_ms(), actor=actor):
                raise ConfigError(
                    f"{args.client!r:.80} is no client of {args.tenant}",
                    remedy=f"`topscoop cloud api-client list --tenant {args.tenant}` names them all.",
                )
    if args.json:
        print(json.dumps({"tenant": args.tenant, "client_id": args.client, "removed": True}))
    else:
        print(f"{args.client}: removed, and its tokens with it")
    return 0
