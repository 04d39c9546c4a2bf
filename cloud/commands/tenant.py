"""`topscoop cloud tenant add|list|show|keys|trust|notice`: chains, what they may use, sign with and show."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from cloud.commands import tenant_api_limits, tenant_notice

if TYPE_CHECKING:
    from cloud.database.tenancy import ServiceKey, Tenant

_QUOTAS = ("frames_per_day", "bytes_per_day", "messages_per_minute", "retention_days")


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `tenant` to `topscoop cloud`."""
    tenant = verbs.add_parser(
        "tenant",
        help="add, list and show chains; their keys, their trusted root of releases",
        description="The chains, their quotas, their service keys, the trusted root of their releases.",
    )
    actions = tenant.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = actions.add_parser("add", help="add a chain and make its service keys")
    listing = actions.add_parser("list", help="list the chains")
    show = actions.add_parser("show", help="show one chain")
    keys = actions.add_parser(
        "keys",
        help="make the service keys that a chain lacks",
        description="Make the service keys that a chain lacks because an older version added it. Registers "
        "learn of them when they renew their certificate.",
    )
    for parser in (add, show, keys):
        parser.add_argument("tenant", metavar="TENANT", help="id of the chain: a-z, 0-9, inner hyphens")
    add.add_argument("--name", help="the chain's name for people; default: its id")
    for quota in _QUOTAS:
        add.add_argument(
            f"--{quota.replace('_', '-')}", type=int, metavar="N", help=f"default: tenant_defaults.{quota}"
        )
    trust = actions.add_parser(
        "trust",
        help="trust the root of a chain's signed releases",
        description="Trust the root of a chain's signed releases: belief in its repository begins there. "
        "Registers get it when they enrol or renew. Compare the SHA-256 with that of who holds the keys.",
    )
    trust.add_argument("tenant", metavar="TENANT", help="the chain")
    trust.add_argument("root", metavar="ROOT.json", help="1.root.json of the chain's repository")
    trust.add_argument(
        "--replace", action="store_true", help="forget another root; its registers must enrol again"
    )
    for parser, run in (
        (trust, run_trust),
        (add, run_add),
        (listing, run_list),
        (show, run_show),
        (keys, run_keys),
        (tenant_notice.add_parser(actions), tenant_notice.run),
        (tenant_api_limits.add_parser(actions), tenant_api_limits.run),
    ):
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_add(args: argparse.Namespace) -> int:
    """Add a chain."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_settings import SETTINGS
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.database.tenancy import Tenant
    from cloud.operations.tenants import create_tenant
    from daemon.errors import ConfigError

    config = config_of(args)
    _check_name(args.tenant)
    quotas = {}
    for name in _QUOTAS:
        given = getattr(args, name)
        try:
            quotas[name] = SETTINGS.keys[f"tenant_defaults.{name}"].check(
                getattr(config.tenant_defaults, name) if given is None else given
            )
        except ValueError as error:
            raise ConfigError(f"--{name.replace('_', '-')} {error}") from error
    tenant = Tenant(args.tenant, (args.name or args.tenant)[:200], now_ms(), **quotas)
    with open_database(config.database_url) as database:
        database.check()
        keys = create_tenant(database, config, tenant, actor=f"operator:{getpass.getuser()}")
    if args.json:
        print(json.dumps(_document(tenant, keys)))
    else:
        print(f"{tenant.tenant}: added, with keys for {', '.join(key.purpose for key in keys)}")
        print(f"  next: topscoop cloud register add --tenant {tenant.tenant} --store STORE --register NAME")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List the chains."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.database.tenancy import count_registers, read_tenant

    rows: list[dict[str, Any]] = []
    with open_database(config_of(args).database_url) as database:
        database.check()
        for tenant in database.tenants():
            with database.tenant(tenant, read_only=True) as connection:
                found, registers = read_tenant(connection, tenant), count_registers(connection, tenant)
            if found is not None:
                rows.append({"tenant": tenant, "name": found.name, "registers": registers})
    if args.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        states = ", ".join(f"{count} {state}" for state, count in row["registers"].items())
        print(f"{row['tenant']:<32}  {row['name']}  ({states or 'no registers'})")
    if not rows:
        print("no chains yet; add one: topscoop cloud tenant add TENANT")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show one chain."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant

    _check_name(args.tenant)
    with open_database(config_of(args).database_url) as database:
        database.check()
        document = _document(*known_tenant(database, args.tenant))
    if args.json:
        print(json.dumps(document))
        return 0
    for name, value in document.items():
        if name != "service_keys":
            print(f"{name:<20} {value}")
    for key in document["service_keys"]:
        print(f"{'service key':<20} {key['purpose']}: {key['algorithm']} {key['kid']}")
    return 0


def run_keys(args: argparse.Namespace) -> int:
    """Make the service keys that are not there."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import complete_keys, known_tenant

    config = config_of(args)
    _check_name(args.tenant)
    with open_database(config.database_url) as database:
        database.check()
        made = complete_keys(database, config, args.tenant, now_ms(), actor=f"operator:{getpass.getuser()}")
        document = _document(*known_tenant(database, args.tenant))
    if args.json:
        print(json.dumps({"made": [str(key.purpose) for key in made], "keys": document["service_keys"]}))
        return 0
    if made:
        print(f"{args.tenant}: made keys for {', '.join(key.purpose for key in made)}")
        print("  next: restart the services; registers learn of the keys when they renew their certificate")
    else:
        print(f"{args.tenant} has all of its keys")
    return 0


def run_trust(args: argparse.Namespace) -> int:
    """Trust a root."""
    import dataclasses
    import getpass
    from pathlib import Path

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.releases.trust import trust_root
    from daemon.errors import ConfigError

    config = config_of(args)
    _check_name(args.tenant)
    try:
        content = Path(args.root).read_bytes()
    except OSError as error:
        raise ConfigError(f"{args.root} cannot be read: {error.strerror}") from error
    with open_database(config.database_url) as database:
        database.check()
        root = trust_root(
            database,
            args.tenant,
            content,
            now_ms(),
            actor=f"operator:{getpass.getuser()}",
            replace=args.replace,
        )
    if args.json:
        print(json.dumps({"tenant": args.tenant, **dataclasses.asdict(root)}))
        return 0
    print(f"{args.tenant} trusts root version {root.version}: {root.threshold} of {root.keys} keys")
    print(f"  SHA-256 {root.sha256}")
    print("  next: topscoop cloud releases look; registers get it when they enrol or renew")
    return 0


def _document(tenant: "Tenant", keys: "list[ServiceKey]") -> dict[str, Any]:
    import dataclasses

    from cloud.service_keys import FOR_REGISTERS

    shown = [
        {
            "purpose": key.purpose,
            "algorithm": key.key.algorithm.name,
            "kid": key.key.kid.hex(),
            "public": key.key.public.hex(),
            "valid_from_ms": key.valid_from_ms,
            "valid_until_ms": key.valid_until_ms,
            "for_registers": key.purpose in FOR_REGISTERS,
        }
        for key in keys
    ]
    return {**dataclasses.asdict(tenant), "service_keys": shown}


def _check_name(tenant: str) -> None:
    from daemon.errors import ConfigError
    from wire_protocol.identifiers import is_name

    if not is_name(tenant):
        raise ConfigError(
            f"{tenant!r:.80} cannot be a chain's id",
            remedy="1 to 32 of a-z, 0-9 and hyphens, none at an end.",
        )
