"""`topscoop cloud tenant api-limits TENANT …`: what a chain may use of the public API, and used today."""

import argparse

_LIMITS = ("uploads_per_day", "uploads_per_minute", "requests_per_minute", "recommendation_days")


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add `api-limits` to `topscoop cloud tenant`."""
    parser = actions.add_parser(
        "api-limits",
        help="show or change what a chain may use of the public API",
        description="Show what a chain may use of the public API, or change what is named. Running services "
        "follow within ten seconds. What was never changed is the configuration's.",
    )
    parser.add_argument("tenant", metavar="TENANT", help="the chain")
    for name in _LIMITS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"default: public_api.{name}"
        )
    parser.add_argument("--reset", action="store_true", help="follow the configuration again")
    return parser


def run(args: argparse.Namespace) -> int:
    """Change what is named, then show all of it."""
    import dataclasses
    import getpass
    import json
    from datetime import UTC, datetime

    from cloud.clock import now_ms
    from cloud.config_settings import SETTINGS
    from cloud.config_sources import config_of
    from cloud.database.audit_log import write_audit
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.public_api.adapters.api_limits import ApiLimits, put_limits, read_limits, read_usage
    from daemon.errors import ConfigError
    from wire_protocol.identifiers import is_name

    config, now = config_of(args), now_ms()
    if not is_name(args.tenant):
        raise ConfigError(f"{args.tenant!r:.80} cannot be a chain's id")
    named = {name: getattr(args, name) for name in _LIMITS if getattr(args, name) is not None}
    if named and args.reset:
        raise ConfigError("--reset and a limit exclude each other", remedy="Give one of them.")
    for name, value in named.items():
        try:
            SETTINGS.keys[f"public_api.{name}"].check(value)
        except ValueError as error:
            raise ConfigError(f"--{name.replace('_', '-')} {error}") from error
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant) as connection:
            limits = read_limits(connection, args.tenant, config.public_api)
            if named or args.reset:
                own = None if args.reset else dataclasses.replace(limits, **named)
                put_limits(connection, args.tenant, own)
                limits = own or ApiLimits.of_config(config.public_api)
                write_audit(
                    connection,
                    args.tenant,
                    now,
                    actor=f"operator:{getpass.getuser()}",
                    action="tenant.api_limits",
                    subject=args.tenant,
                    detail=dataclasses.asdict(limits),
                )
            today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
            usage = read_usage(connection, args.tenant, today)
    if args.json:
        shown = {"tenant": args.tenant, **dataclasses.asdict(limits), "today": dataclasses.asdict(usage)}
        print(json.dumps(shown))
        return 0
    for name, value in dataclasses.asdict(limits).items():
        print(f"{name:<20} {value}")
    print(f"{'today':<20} {usage.uploads} uploads, {usage.bytes} bytes ({usage.day}, UTC)")
    return 0
