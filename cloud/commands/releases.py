"""`topscoop cloud releases look|list`: the chains' signed releases, as the cloud knows them."""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.database.engine import Database


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `releases` to `topscoop cloud`."""
    releases = verbs.add_parser(
        "releases",
        help="look at the chains' signed releases, list them",
        description="The chains' signed releases, as the cloud knows them.",
    )
    actions = releases.add_subparsers(title="commands", metavar="COMMAND", required=True)
    look = actions.add_parser(
        "look",
        help="verify the repositories now",
        description="Verify the repositories now and note what is new; the rollout controller does it every "
        "releases.look_every_s. Ends with status 1 where one cannot be verified.",
    )
    listing = actions.add_parser("list", help="list what was verified", description="List what was verified.")
    for parser, run in ((look, run_look), (listing, run_list)):
        parser.add_argument("--tenant", metavar="TENANT", help="this chain only")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_look(args: argparse.Namespace) -> int:
    """Look at the repositories."""
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.releases.composition import open_release_files
    from cloud.releases.errors import NothingTrusted
    from cloud.releases.look import look

    config = config_of(args)
    files = open_release_files(config)
    found = []
    with open_database(config.database_url) as database:
        database.check()
        for tenant in _tenants(database, args.tenant):
            try:
                found.append(look(database, files, tenant, now_ms()))
            except NothingTrusted:
                if args.tenant is not None:
                    raise
    if args.json:
        print(
            json.dumps(
                [
                    {
                        "tenant": one.tenant,
                        "problem": one.problem,
                        "listed": one.listed,
                        "withdrawn": one.withdrawn,
                        "listed_again": one.again,
                    }
                    for one in found
                ]
            )
        )
    else:
        for one in found:
            changes = [
                f"{what} {', '.join(map(str, numbers))}"
                for what, numbers in (
                    ("new:", one.listed),
                    ("withdrawn:", one.withdrawn),
                    ("listed again:", one.again),
                )
                if numbers
            ]
            print(f"{one.tenant}: {one.problem or '; '.join(changes) or 'verified, nothing new'}")
        if not found:
            print("no chain trusts a root yet: topscoop cloud tenant trust TENANT ROOT.json")
    return 1 if any(one.problem for one in found) else 0


def run_list(args: argparse.Namespace) -> int:
    """List releases."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database

    with open_database(config_of(args).database_url) as database:
        database.check()
        chains = [one for tenant in _tenants(database, args.tenant) if (one := _chain(database, tenant))]
    if args.json:
        print(json.dumps(chains))
        return 0
    for chain in chains:
        print(_headline(chain))
        for release in chain["releases"]:
            state = f"withdrawn: {release['withdrawn_reason']}" if release["withdrawn_at_ms"] else ""
            alias = " ".join(name for name in ("champion", "candidate") if chain[name] == release["release"])
            head = f"  {release['release']:>6}  {release['version']:<16} {release['digest'][:12]}"
            print(f"{head}  {alias} {state}".rstrip())
    if not chains:
        print("no chain trusts a root yet: topscoop cloud tenant trust TENANT ROOT.json")
    return 0


def _tenants(database: "Database", tenant: str | None) -> list[str]:
    from cloud.operations.tenants import known_tenant

    if tenant is None:
        return database.tenants()
    known_tenant(database, tenant)
    return [tenant]


def _chain(database: "Database", tenant: str) -> dict[str, Any] | None:
    import dataclasses

    from cloud.releases import rows

    with database.tenant(tenant, read_only=True) as connection:
        repository = rows.repository(connection, tenant)
        if repository is None:
            return None
        releases = rows.listed(connection, tenant).values()
    known = dataclasses.asdict(repository)
    del known["root"]
    return {"tenant": tenant, **known, "releases": [dataclasses.asdict(release) for release in releases]}


def _headline(chain: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    if chain["problem"]:
        return f"{chain['tenant']}: {chain['problem']}"
    if chain["expires_at_ms"] is None:
        return f"{chain['tenant']}: not looked at yet: topscoop cloud releases look"
    until = datetime.fromtimestamp(chain["expires_at_ms"] / 1000, UTC)
    return f"{chain['tenant']}: verified, good until {until:%Y-%m-%d %H:%M} UTC"
